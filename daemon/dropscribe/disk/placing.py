"""Files of our own, put into place whole or not at all. Blocking; for threads.

The way of one output: `make_folders`, `write_aside`, `place` (or `replace`, over our own), then `sync_folder` once a
group for each folder of `way_down`: a file whose folder has no durable name is lost with it. A step that fails leaves
at most a `.dropscribe-<tag>.tmp`, which the next `write_aside` of the same tag removes. The folder is opened once,
without following a link below its root, and all steps go through its descriptor: who exchanges it for a link in between
leads us nowhere else.
"""

import contextlib
import errno
import os
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path

from dropscribe.disk.kept_open import borrowed
from dropscribe.disk.renaming import Name, rename_without_replacing
from dropscribe.disk.sources import FOLDER, digest_of, folder_at, parent_of, parts, regular_file, step_into
from dropscribe.names import display, partial_name

AnyPath = bytes | str | PathLike[str]

LARGEST_OUTPUT = 1024**3
"""Bytes; we write none that is larger, and a file of many terabytes, which costs nothing to make, is not read."""
_NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


def write_aside(folder: int, tag: str, data: bytes, mode: int = 0o666) -> Name:
    """Write `data` durably under a private name in the open `folder`; return that. `mode` goes through the umask.

    A leftover of the same tag is removed first, so a tag belongs to one piece of work at a time. Raises OSError; what
    was begun is removed then.
    """
    name = partial_name(tag)
    descriptor = create_aside(name, mode, folder)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        discard((folder, name))
        raise
    finally:
        os.close(descriptor)
    return folder, name


def discard(aside: Name) -> None:
    """Remove what was written aside; where that fails, the next `write_aside` of its tag does."""
    with contextlib.suppress(OSError):
        os.unlink(aside[1], dir_fd=aside[0])


def create_aside(name: bytes, mode: int, folder: int | None = None) -> int:
    """A new file of ours under a private name, in the place of a leftover; its descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, mode, dir_fd=folder)
    except FileExistsError:
        os.unlink(name, dir_fd=folder)
        return os.open(name, flags, mode, dir_fd=folder)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte, however the kernel cuts it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def place(temp: Name, target: Name) -> None:
    """Give the file `temp` its final name, without replacing anything. Done twice, the second raises FileNotFoundError.

    Raises FileExistsError if something else stands at `target`.
    """
    rename_without_replacing(temp, target)


def replace(temp: Name, target: Name) -> None:
    """Put `temp` in the place of `target`, which the caller knows to be ours."""
    os.replace(temp[1], target[1], src_dir_fd=temp[0], dst_dir_fd=target[0])


def sync_folder(root: Path, relative: bytes = b"") -> None:
    """Make the names in the folder `relative` below `root` durable. Raises as `folder_at`."""
    with folder_at(root, relative) as descriptor:
        sync_names(descriptor)


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


def sync_way_down(root: Path, relative: bytes) -> None:
    """Make what lies in the folder `relative` below `root` findable after a power cut. Raises as `folder_at`."""
    names = parts(relative) if relative else ()
    for depth in range(len(names) + 1):
        sync_folder(root, b"/".join(names[:depth]))


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


def make_folders(root: AnyPath, relative: bytes) -> AbstractContextManager[int]:
    """Create the folder `relative` (empty: none) below `root`, never `root` itself; open it within the block.

    Each new folder is durable; one that was there may not be (see `way_down`). Raises FileNotFoundError if `root` is
    missing, NotADirectoryError if a link or a file stands where a folder is needed, other OSError.
    """
    return borrowed((root, relative, make_folders), lambda: _made(os.fsencode(root), relative))


def _made(path: bytes, relative: bytes) -> int:
    descriptor = os.open(path, FOLDER)
    try:
        for name in parts(relative) if relative else ():
            inner = _enter(descriptor, name, path)
            os.close(descriptor)
            descriptor, path = inner, os.path.join(path, name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


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


def content_sha256(path: AnyPath, folder: int | None = None, most: int = LARGEST_OUTPUT) -> str | None:
    """The sha256 of the regular file at `path`; None if nothing stands there.

    `""` for a link, folder or the like, and for a file of more than `most` bytes, which is not read.
    """
    try:
        with regular_file(os.fsencode(path), folder) as descriptor:
            if descriptor is None or os.fstat(descriptor).st_size > most:
                return ""
            return digest_of(descriptor, most)
    except FileNotFoundError:
        return None


def sha256_within(root: Path, path: bytes, most: int = LARGEST_OUTPUT) -> str | None:
    """The same of a path within `root`, following no link below it.

    Raises NotADirectoryError if a link or a file stands among the folders, other OSError.
    """
    try:
        with parent_of(root, path) as (folder, name):
            return content_sha256(name, folder, most)
    except FileNotFoundError:
        return None
