"""Reaching a file inside an inbox without following a link, and reading it once.

A path within a root is bytes: relative, `/` between its parts, no `.` or `..`. The root itself may be a link (the
user named it); nothing below it is followed, so a link dropped into an inbox can not send us anywhere else.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dropscribe.disk.kept_open import borrowed
from dropscribe.errors import DropscribeError, SourceChanged
from dropscribe.model import Look
from dropscribe.names import display

CHUNK = 1024 * 1024
"""Bytes read at a time: `stop` is asked this often."""

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
SOURCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK: a FIFO put in a file's place must not hold a thread for ever."""

OddityKind = Literal["gone", "symlink", "folder", "fifo", "socket", "device", "unreadable"]


class Stopped(DropscribeError):
    """The house is closing: reading or copying was given up; nothing was left behind."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """What stands at a path where no regular file stands, and the sentence for people."""

    kind: OddityKind
    sentence: str


GONE = Oddity("gone", "Nothing stands at this path any more.")
_ODD_TYPES = {
    stat.S_IFLNK: Oddity("symlink", "It is a symbolic link, and dropscribe follows none: put the file itself here."),
    stat.S_IFDIR: Oddity("folder", "It is a folder, not a file."),
    stat.S_IFIFO: Oddity("fifo", "It is a named pipe (FIFO), not a file."),
    stat.S_IFSOCK: Oddity("socket", "It is a socket, not a file."),
    stat.S_IFCHR: Oddity("device", "It is a character device, not a file."),
    stat.S_IFBLK: Oddity("device", "It is a block device, not a file."),
}


def look_of_stat(result: os.stat_result) -> Look:
    """The look that one stat shows."""
    return Look(result.st_size, result.st_mtime_ns, result.st_ino)


def oddity_of(result: os.stat_result) -> Oddity | None:
    """None for a regular file."""
    kind = stat.S_IFMT(result.st_mode)
    return None if kind == stat.S_IFREG else _ODD_TYPES.get(kind, Oddity("device", "It is not a regular file."))


def unreadable(error: OSError) -> Oddity:
    """A path that the system does not let us look at or open."""
    return Oddity("unreadable", f"It can not be read ({error.strerror}): dropscribe's user needs the right to.")


def parts(path: bytes) -> list[bytes]:
    """The parts of a path within a root. Raises ValueError for one that could lead out of it."""
    pieces = path.split(b"/")
    if any(piece in (b"", b".", b"..") for piece in pieces):
        raise ValueError(f"not a path within a folder: {path!r}")
    return pieces


def seen_from(root: Path, path: bytes) -> tuple[Path, bytes]:
    """A root and the path within it for an absolute `path`: `root` where that holds it, else the path's own folder.

    The second is for what an earlier configuration placed in folders that are not ours any more.
    """
    within = os.path.relpath(path, os.fsencode(root))
    if within == b".":
        return root, b""
    if within.split(b"/", 1)[0] != b"..":
        return root, within
    return Path(os.fsdecode(os.path.dirname(path))), os.path.basename(path)


def lies_below(root: Path, path: bytes) -> bool:
    """Whether `root` holds the absolute `path`: not what an earlier configuration placed elsewhere."""
    return seen_from(root, path)[0] == root


def step_into(folder: int, name: bytes) -> int:
    """Open the folder `name` inside `folder`; a link there raises NotADirectoryError."""
    return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=folder)


def follow_into(folder: int, name: bytes) -> int:
    """The same through a link. One that leads nowhere raises ENOLINK: what it led to may be unmounted."""
    try:
        return os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                raise OSError(errno.ENOLINK, "a link that leads nowhere stands among the folders", name) from None
        raise


def folder_at(
    root: Path, relative: bytes = b"", step: Callable[[int, bytes], int] = step_into
) -> AbstractContextManager[int]:
    """A descriptor of the folder `relative` below `root` (empty: `root` itself), open within the block.

    Raises FileNotFoundError, NotADirectoryError (a link or a file stands among the folders), other OSError. `step`
    opens each folder: `follow_into` is for what is only read.
    """
    return borrowed((root, relative, step), lambda: _descend(root, relative, step))


def _descend(root: Path, relative: bytes, step: Callable[[int, bytes], int]) -> int:
    descriptor = os.open(root, FOLDER)
    try:
        for name in parts(relative) if relative else ():
            inner = step(descriptor, name)
            os.close(descriptor)
            descriptor = inner
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def parent_of(root: Path, path: bytes, step: Callable[[int, bytes], int] = step_into) -> Iterator[tuple[int, bytes]]:
    """(descriptor of the folder that holds `path`, the last part of `path`). `step` and what is raised: `folder_at`."""
    folder, _, name = b"/".join(parts(path)).rpartition(b"/")
    with folder_at(root, folder, step) as descriptor:
        yield descriptor, name


def open_source(root: Path, path: bytes) -> int:
    """A descriptor for reading; it may be of any type: the caller compares its look.

    Raises FileNotFoundError, OSError with ELOOP (a link) or ENOTDIR (a link among the folders), other OSError.
    """
    with parent_of(root, path) as (folder, name):
        return os.open(name, SOURCE, dir_fd=folder)


def stat_within(root: Path, path: bytes) -> os.stat_result:
    """lstat that follows no link below `root`. Raises as `folder_at`."""
    with parent_of(root, path) as (folder, name):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)


def look_at(root: Path, path: bytes) -> Look | Oddity:
    """One look at a path: its Look if a regular file stands there, else what is odd.

    Raises FileNotFoundError only where `root` itself is missing; OSError for a fault of the disk.
    """
    try:
        result = stat_within(root, path)
    except (FileNotFoundError, NotADirectoryError):
        os.stat(root)
        return GONE
    except PermissionError as error:
        return unreadable(error)
    return oddity_of(result) or look_of_stat(result)


def expect(descriptor: int, path: bytes, look: Look, when: str) -> os.stat_result:
    """Raise SourceChanged unless `descriptor` is the regular file that `look` saw."""
    result = os.fstat(descriptor)
    if not stat.S_ISREG(result.st_mode) or look_of_stat(result) != look:
        raise SourceChanged(f"{display(path)} {when}; it is looked at anew")
    return result


@contextmanager
def regular_file(name: bytes, folder: int | None = None) -> Iterator[int | None]:
    """The regular file `name`, open for reading; None if a link, a folder or the like stands there.

    Raises FileNotFoundError if nothing does, other OSError.
    """
    try:
        descriptor = os.open(name, SOURCE, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            raise
        yield None
        return
    try:
        yield descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        os.close(descriptor)


def digest_of(descriptor: int, most: int) -> str:
    """sha256 of what is left to read; `""` where that is more than `most` bytes: what grows must not hold us up."""
    digest = hashlib.sha256()
    left = most
    while piece := os.read(descriptor, CHUNK):
        left -= len(piece)
        if left < 0:
            return ""
        digest.update(piece)
    return digest.hexdigest()


@contextmanager
def opened(root: Path, path: bytes, look: Look) -> Iterator[int]:
    """The very file that `look` saw, open for reading. Raises SourceChanged if it is gone or another one."""
    try:
        descriptor = open_source(root, path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            os.stat(root)  # a missing inbox is not a missing file
            raise SourceChanged(f"{display(path)} is gone or was replaced by a link") from error
        raise
    try:
        expect(descriptor, path, look, "is no longer the file that was looked at")
        yield descriptor
    finally:
        os.close(descriptor)


def chunks(descriptor: int, path: bytes, size: int, stop: Callable[[], bool]) -> Iterator[memoryview]:
    """The file's bytes from the start, in one reused buffer: each piece is valid until the next is asked for.

    Raises SourceChanged if there are not exactly `size` bytes, Stopped as soon as `stop()` is true.
    """
    buffer = memoryview(bytearray(min(CHUNK, size + 1)))
    total = 0
    while count := _read(descriptor, buffer, stop):
        total += count
        if total > size:
            break
        yield buffer[:count]
    if total != size:
        raise SourceChanged(f"{display(path)} changed while it was read; it is looked at anew")


def _read(descriptor: int, buffer: memoryview, stop: Callable[[], bool]) -> int:
    if stop():
        raise Stopped("reading was given up because dropscribe is stopping")
    return os.readv(descriptor, [buffer])
