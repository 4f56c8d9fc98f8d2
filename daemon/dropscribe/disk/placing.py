"""Files of our own, put into place whole or not at all. Blocking; for threads.

The way of one output: `make_folders`, `write_aside`, `place` (or `replace`, over our own), then `sync_folder` once a
group for each folder of `way_down`: a file whose folder has no durable name is lost with it. A step that fails leaves
at most a `.dropscribe-<tag>.tmp`, which the next `write_aside` of the same tag removes.
"""

import contextlib
import errno
import os
from os import PathLike
from pathlib import Path

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


def way_down(root: AnyPath, relative: bytes) -> list[bytes]:
    """The paths of `root` and of each folder on the way to `relative` (empty: none), which is the last: pure.

    All are to be synced before what was put into the last counts as durable, also those that were there: whoever made
    them (another thread, a try that was killed) need not have come to syncing them.
    """
    path = os.fsencode(root)
    return [path, *(path := os.path.join(path, name) for name in (parts(relative) if relative else ()))]


def sync_way_down(root: AnyPath, relative: bytes) -> None:
    """Make what lies in the folder `relative` below `root` findable after a power cut."""
    for folder in way_down(root, relative):
        sync_folder(folder)


def make_root(path: Path) -> None:
    """Create a folder of our own, with those above it, durably; one that is there is made durable all the same.

    Raises OSError.
    """
    path.mkdir(parents=True, exist_ok=True)
    sync_names_above(path)


def sync_names_above(path: Path) -> None:
    """Make the name of the folder `path` durable, and those of the folders above it on its file system.

    One that may not be read is passed over: it is not ours, and was there long before.
    """
    device = path.stat().st_dev
    for above in path.resolve().parents:
        if above.stat().st_dev != device:
            break
        with contextlib.suppress(PermissionError):
            sync_folder(above)


def make_folders(root: AnyPath, relative: bytes) -> bytes:
    """Create the folder `relative` (empty: none) below `root`, never `root` itself; return its path.

    Each new folder is durable; one that was there may not be (see `way_down`). Raises FileNotFoundError if `root` is
    missing, NotADirectoryError if a link or a file stands where a folder is needed, other OSError.
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
        sync_names(folder)  # at once: a source may be moved in, and that may be durable before this is
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
