"""The one primitive of safe placing: give a file a name that nobody has, on any file system."""

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_NO_LINKS = _UNSUPPORTED | {errno.EPERM, errno.EMLINK, errno.EACCES}

Name = tuple[int | None, bytes]
"""(descriptor of a folder, a name in it), or (None, a path)."""


@cache
def _renameat2() -> Callable[[int, bytes, int, bytes, int], int] | None:
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    result: Callable[[int, bytes, int, bytes, int], int] = function
    return result


def rename_without_replacing(source: Name, target: Name) -> None:
    """Rename `source`, a file that is ours alone, to `target`.

    A target that is already the same file (a second name of it, left by a crash between two steps) counts as placed.
    Raises FileExistsError if anything else stands at the target, FileNotFoundError, OSError with EXDEV, other OSError.
    """
    try:
        _rename_at_once(source, target)
    except FileExistsError:
        if not _same_file(source, target):
            raise
        os.unlink(source[1], dir_fd=source[0])
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        rename_by_link(source, target)


def _rename_at_once(source: Name, target: Name) -> None:
    rename = _renameat2()
    if rename is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if rename(_at(source), source[1], _at(target), target[1], _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), source[1], None, target[1])


def rename_by_link(source: Name, target: Name) -> None:
    """The same where the file system knows no RENAME_NOREPLACE (NFS): a second name, then the first one goes."""
    try:
        os.link(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0], follow_symlinks=False)
    except FileExistsError:
        if not _same_file(source, target):  # NFS answers so, too, when its first answer was lost
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return rename_over_placeholder(source, target)
    return os.unlink(source[1], dir_fd=source[0])


def rename_over_placeholder(source: Name, target: Name) -> None:
    """The same where there are no hard links either: an empty file of our own holds the name first."""
    placeholder = os.open(target[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target[0])
    try:
        ours = os.fstat(placeholder)
    finally:
        os.close(placeholder)
    now = os.stat(target[1], dir_fd=target[0], follow_symlinks=False)
    if now.st_ino != ours.st_ino or now.st_size:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target[1])
    try:
        os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])
    except OSError:
        os.unlink(target[1], dir_fd=target[0])
        raise


def rename_to_private(source: Name, target: Name) -> None:
    """Rename a file that others may touch to a private name, which nobody but us uses.

    By link and unlink it could not be done: what another program puts at the source in between would be unlinked.
    Raises FileExistsError if the private name is taken, FileNotFoundError, other OSError.
    """
    try:
        return _rename_at_once(source, target)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    return rename_plainly(source, target)


def rename_plainly(source: Name, target: Name) -> None:
    """Look whether the name is free, then rename: enough for a name that nobody else uses."""
    with contextlib.suppress(FileNotFoundError):
        os.stat(target[1], dir_fd=target[0], follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target[1])
    os.rename(source[1], target[1], src_dir_fd=source[0], dst_dir_fd=target[0])


def _same_file(one: Name, other: Name) -> bool:
    with contextlib.suppress(FileNotFoundError):
        first = os.stat(one[1], dir_fd=one[0], follow_symlinks=False)
        return os.path.samestat(first, os.stat(other[1], dir_fd=other[0], follow_symlinks=False))
    return False


def _at(name: Name) -> int:
    return _AT_FDCWD if name[0] is None else name[0]
