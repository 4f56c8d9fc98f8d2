"""Which errors of the system are a fault of the disk or folder, so that no file is charged with them."""

import errno
import os
from pathlib import Path

from dropscribe.errors import OutOfOrder

_SPACE = "free some space there; dropscribe goes on by itself"
_QUOTA = "free some space there, or have the quota raised; dropscribe goes on by itself"
_RIGHTS = "give dropscribe's user the right to read and write there (and to enter the folders above)"
_DISK = "look after the disk (`dmesg` names its errors); dropscribe goes on by itself when it works again"
_MOUNT = "see that the disk or share is mounted and answers; dropscribe goes on by itself"
_LIMIT = "raise the limit (for open files: LimitNOFILE in the unit), or free memory"

_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _QUOTA,
    errno.EFBIG: "this file system can not hold a file of that size; use another one",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "mount it writable; dropscribe goes on by itself",
    errno.EIO: _DISK,
    errno.EUCLEAN: _DISK,
    errno.EREMOTEIO: _DISK,
    errno.ENXIO: _MOUNT,
    errno.ENODEV: _MOUNT,
    errno.ENOTCONN: _MOUNT,
    errno.ESTALE: _MOUNT,
    errno.ETIMEDOUT: _MOUNT,
    errno.ECONNABORTED: _MOUNT,
    errno.ECONNREFUSED: _MOUNT,
    errno.ECONNRESET: _MOUNT,
    errno.EHOSTDOWN: _MOUNT,
    errno.EHOSTUNREACH: _MOUNT,
    errno.ENETDOWN: _MOUNT,
    errno.ENETUNREACH: _MOUNT,
    errno.ENOLCK: _MOUNT,
    errno.EMFILE: _LIMIT,
    errno.ENFILE: _LIMIT,
    errno.ENOMEM: _LIMIT,
}


def is_disk_fault(error: OSError) -> bool:
    """True where the disk, the share, its rights or the machine's limits are at fault, and not one file.

    EACCES counts: one unreadable source (PermissionError from `hashing.take`) is to be told apart before.
    """
    return error.errno in _REMEDIES


_OF_ONE_FILE = frozenset({errno.EACCES, errno.EPERM, errno.EFBIG, errno.ENXIO})


def blames_folder(error: OSError) -> bool:
    """True where every other file of the folder would meet the same error, whatever is at fault."""
    return is_disk_fault(error) and error.errno not in _OF_ONE_FILE


def no_folder(path: Path) -> tuple[str, str] | None:
    """What stands in the place of a folder, and what to do; None where it is a folder, or nothing at all."""
    if path.is_dir() or not os.path.lexists(path):
        return None
    if path.exists():
        return "what stands there is no folder", "move it away, or name another folder; the work resumes by itself"
    return "it is a link that leads nowhere", "mount or create what it leads to; the work resumes by itself"


def folder_fault(error: OSError, folder: str) -> OutOfOrder:
    """The same as what the house does next: the scope `folder:<path>` is out of order. `folder` is for people."""
    code = errno.errorcode.get(error.errno or 0, "OSError")
    remedy = _REMEDIES.get(error.errno or 0, _DISK)
    return OutOfOrder(f"folder:{folder}", code, f"{folder}: {error.strerror or type(error).__name__}", remedy)
