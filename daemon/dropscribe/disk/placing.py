"""Files of our own, put into place whole or not at all. Blocking; for threads.

The way of one output: `make_folders`, `write_aside`, `place` (or `replace`, over our own), then `sync_folder` once a
folder and group. A step that fails leaves at most a `.dropscribe-<tag>.tmp`, which the next `write_aside` of the same
tag removes.
"""

import contextlib
import errno
import os
from os import PathLike

from dropscribe.disk.renaming import rename_without_replacing
from dropscribe.disk.sources import FOLDER, digest_of, parts, regular_file, step_into
from dropscribe.names import display, partial_name

AnyPath = bytes | str | PathLike[str]

_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


def write_aside(folder: AnyPath, tag: str, data: bytes, mode: int = 0o666) -> bytes:
    """Write `data` durably under a private name in `folder`; return its path. `mode` goes through the umask.

    A leftover of the same tag is removed first, so a tag belongs to one piece of work at a time. Raises OSError; what
    was begun is removed then.
    """
    path = os.path.join(os.fsencode(folder), partial_name(tag))
    descriptor = create_aside(path, mode)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(descriptor)
    return path


def create_aside(name: bytes, mode: int, folder: int | None = None) -> int:
    """A new file of ours under a private name, in the place of a leftover; its descriptor."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, mode, dir_fd=folder)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte, however the kernel cuts it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def place(temp: AnyPath, target: AnyPath) -> None:
    """Give the file `temp` its final name, without replacing anything. Done twice, the second raises FileNotFoundError.

    Raises FileExistsError if something else stands at `target`.
    """
    rename_without_replacing((None, os.fsencode(temp)), (None, os.fsencode(target)))


def replace(temp: AnyPath, target: AnyPath) -> None:
    """Put `temp` in the place of `target`, which the caller knows to be ours."""
    os.replace(temp, target)


def sync_folder(folder: AnyPath) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, FOLDER)
    try:
        sync_names(descriptor)
    finally:
        os.close(descriptor)


def sync_names(folder: int) -> None:
    """fsync of a folder's descriptor; a file system that knows none keeps names in its own way."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def make_folders(root: AnyPath, relative: bytes) -> bytes:
    """Create the folder `relative` (empty: none) below `root`, never `root` itself; return its path.

    Each new folder is durable. Raises FileNotFoundError if `root` is missing, NotADirectoryError if a link or a file
    stands where a folder is needed, other OSError.
    """
    path = os.fsencode(root)
    descriptor = os.open(path, FOLDER)
    try:
        for name in parts(relative) if relative else ():
            inner = _enter(descriptor, name, path)
            os.close(descriptor)
            descriptor, path = inner, os.path.join(path, name)
    finally:
        os.close(descriptor)
    return path


def _enter(folder: int, name: bytes, path: bytes) -> int:
    try:
        return step_into(folder, name)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        sync_names(folder)
    except NotADirectoryError as error:
        raise _obstacle(path, name) from error
    try:
        return step_into(folder, name)
    except NotADirectoryError as error:
        raise _obstacle(path, name) from error


def _obstacle(path: bytes, name: bytes) -> NotADirectoryError:
    reason = "a folder is needed here, but a link or a file of this name stands in its place; move it away"
    return NotADirectoryError(errno.ENOTDIR, reason, display(os.path.join(path, name)))


def content_sha256(path: AnyPath) -> str | None:
    """The sha256 of the regular file at `path`; None if nothing stands there; `""` for a link, folder or the like."""
    try:
        with regular_file(os.fsencode(path)) as descriptor:
            return "" if descriptor is None else digest_of(descriptor)
    except FileNotFoundError:
        return None
