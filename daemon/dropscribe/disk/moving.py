"""Moving a source that other programs can reach at any moment: what moves is the very file that was heard.

The way: `hide` gives it a private name, `verify` looks whether that is the file that was taken (if not, `put_back`),
then `place_source` or `remove_source`. After a crash at any instant the same calls go on: each says by its exception
what it found. Blocking; for threads.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from dropscribe.disk.placing import (
    create_aside,
    make_folders,
    sync_folder,
    sync_names,
    sync_way_down,
    way_down,
    write_all,
)
from dropscribe.disk.renaming import Name, rename_to_private, rename_without_replacing
from dropscribe.disk.sources import (
    chunks,
    digest_of,
    expect,
    look_of_stat,
    opened,
    parent_of,
    regular_file,
    seen_from,
    stat_within,
)
from dropscribe.errors import SourceChanged
from dropscribe.model import Look
from dropscribe.names import display, partial_name

Unsynced = dict[bytes, Path]
"""Folders whose names are not durable yet, each with the root that it lies in."""


def never() -> bool:
    """A `stop` that never says so."""
    return False


def hide(root: Path, path: bytes, private_name: bytes) -> bytes:
    """Rename whatever stands at `path` to `private_name` in its own folder; return its path within `root`.

    Raises FileNotFoundError if nothing stands at `path`, FileExistsError if the private name is taken (an earlier
    try: go on with that file), other OSError.
    """
    with parent_of(root, path) as (folder, name):
        rename_to_private((folder, name), (folder, private_name))
    return os.path.join(os.path.dirname(path), private_name)


def verify(root: Path, private: bytes, look: Look) -> bool:
    """Whether the hidden file is the one that was taken. Raises FileNotFoundError if it is gone, other OSError."""
    result = stat_within(root, private)
    return stat.S_ISREG(result.st_mode) and look_of_stat(result) == look


def put_back(root: Path, private: bytes, path: bytes) -> None:
    """Give a hidden file its name again. Raises FileExistsError if something newer stands there, FileNotFoundError."""
    with parent_of(root, private) as source, parent_of(root, path) as target:
        rename_without_replacing(source, target)


def remove_source(root: Path, private: bytes) -> None:
    """Delete a hidden file durably; one that is gone is fine."""
    with parent_of(root, private) as (folder, name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        sync_names(folder)


def place_source(
    root: Path,
    private: bytes,
    target_root: Path,
    relative: bytes,
    look: Look,
    sha256: str,
    *,
    resuming: bool = False,
    stop: Callable[[], bool] = never,
    unsynced: Unsynced | None = None,
) -> None:
    """Move a hidden and verified file to `relative` below `target_root`, durably and without replacing anything.

    Folders on the way are created below `target_root`. On another file system the content is copied with its mtime
    and mode, and its sha256 compared; where that is empty (a file that was never read) the look alone decides.
    Where `unsynced` is given, the move is durable once the caller has synced the folders that are added to it: for many
    files of few folders that is few syncs.
    `resuming`: an earlier try with this very target was recorded; a target with this content is then taken for ours.
    Raises FileExistsError (another name is needed), FileNotFoundError (the hidden file is gone), SourceChanged,
    Stopped (only while copying), NotADirectoryError, other OSError.
    """
    folder, name = os.path.split(relative)
    with parent_of(root, private) as source, make_folders(target_root, folder) as opened_folder:
        target = opened_folder, name
        if resuming and _is_placed(target, look, sha256):
            sync_way_down(target_root, os.path.dirname(relative))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(source[1], dir_fd=source[0])
        elif not _renamed(source, target):
            _copy(root, private, target, look, sha256, stop)
            sync_way_down(target_root, os.path.dirname(relative))
            os.unlink(source[1], dir_fd=source[0])
    touched = touched_by_move(root, private, target_root, relative)
    if unsynced is not None:
        unsynced |= touched
        return
    for step, top in touched.items():
        sync_folder(*seen_from(top, step))


def touched_by_move(root: Path, private: bytes, target_root: Path, relative: bytes) -> Unsynced:
    """The folders that make a move durable: the whole way to the target, and where the source was."""
    target = dict.fromkeys(way_down(target_root, os.path.dirname(relative)), target_root)
    return target | {way_down(root, os.path.dirname(private))[-1]: root}


def _renamed(source: Name, target: Name) -> bool:
    try:
        rename_without_replacing(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _is_placed(target: tuple[int, bytes], look: Look, sha256: str) -> bool:
    try:
        with regular_file(target[1], target[0]) as descriptor:
            if descriptor is None:
                return False
            there = look_of_stat(os.fstat(descriptor))
            if there.size != look.size or there == look:
                return there == look
            return digest_of(descriptor, look.size) == sha256 if sha256 else there.mtime_ns == look.mtime_ns
    except FileNotFoundError:
        return False


def _copy(
    root: Path, private: bytes, target: tuple[int, bytes], look: Look, sha256: str, stop: Callable[[], bool]
) -> None:
    folder = target[0]
    stat_within(root, private)  # gone is not the same as changed
    aside = partial_name(os.fsdecode(os.path.basename(private)))
    try:
        with opened(root, private, look) as source:
            _copy_content(source, folder, aside, private, look, sha256, stop)
        rename_without_replacing((folder, aside), target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside, dir_fd=folder)
        raise


def _copy_content(
    source: int, folder: int, aside: bytes, private: bytes, look: Look, sha256: str, stop: Callable[[], bool]
) -> None:
    copy = create_aside(aside, 0o600, folder)
    try:
        digest = hashlib.sha256()
        for piece in chunks(source, private, look.size, stop):
            digest.update(piece)
            write_all(copy, piece)
        result = expect(source, private, look, "changed while it was copied")
        if sha256 and digest.hexdigest() != sha256:
            raise SourceChanged(f"{display(private)} no longer has the content that was recognised")
        _keep_mode_and_time(copy, result)
        os.fsync(copy)
    finally:
        os.close(copy)


def _keep_mode_and_time(copy: int, original: os.stat_result) -> None:
    with contextlib.suppress(PermissionError):  # FAT and SMB have no modes of their own
        os.fchmod(copy, original.st_mode & 0o777)
    os.utime(copy, ns=(original.st_atime_ns, original.st_mtime_ns))
