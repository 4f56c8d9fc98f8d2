"""One folder on a disk of its own that can be taken away, exchanged and filled: a tmpfs, bound there. Needs root.

The disks lie outside the world's root, so that nothing is counted twice.
"""

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import files_below

BIND, DETACH = 4096, 2
SIZE = "size=24m"
FILLER = ".filler"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Disks:
    """At most one folder lies on a disk; `absent` is told where nobody can do anything now."""

    aside: Path
    absent: set[Path]
    folder: Path | None = None
    what: str = "own"
    """Which disk is mounted there: its `own`, an`other`, or ``."""

    def have(self, folder: Path) -> None:
        if self.folder is None and os.geteuid() == 0:
            for disk in (self.own, self.other):
                disk.mkdir(parents=True)
                if not _mount("tmpfs", disk, "tmpfs", 0, SIZE):
                    return
            folder.mkdir(parents=True, exist_ok=True)
            self.folder = folder
            _bind(self.own, folder)

    @property
    def own(self) -> Path:
        return self.aside / "own"

    @property
    def other(self) -> Path:
        return self.aside / "other"

    @property
    def is_full(self) -> bool:
        return (self.own / FILLER).exists()

    def unmount(self) -> None:
        self._put("")

    def swap(self) -> None:
        self._put("other")

    def mount(self) -> None:
        self._put("own")

    def fill(self) -> None:
        if self.folder is not None and not self.is_full:
            room = os.statvfs(self.own)
            with (self.own / FILLER).open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
            self._tell()

    def clear(self) -> None:
        (self.own / FILLER).unlink(missing_ok=True)
        self._tell()

    def out_of_sight(self) -> Mapping[str, bytes]:
        """What lies on the disk while it is not in its place."""
        hidden = self.folder is not None and self.what != "own"
        return {path: content for path, content in files_below(self.own).items() if path != FILLER} if hidden else {}

    def found_in_its_place(self) -> list[str]:
        """What lies where the disk should be: on the mount point, or on the other disk."""
        return [] if self.folder is None or self.what == "own" else sorted(os.listdir(self.folder))

    def end(self) -> None:
        if self.folder is not None:
            self._put("")
        for disk in (self.own, self.other):
            _libc.umount2(os.fsencode(disk), DETACH)

    def _put(self, what: str) -> None:
        """Have this disk at the folder, or none."""
        if self.folder is None or what == self.what:
            return
        if self.what:
            assert _libc.umount2(os.fsencode(self.folder), DETACH) == 0
        if what:
            _bind(self.aside / what, self.folder)
        self.what = what
        self._tell()

    def _tell(self) -> None:
        if self.folder is not None:
            change = self.absent.add if self.is_full or self.what != "own" else self.absent.discard
            change(self.folder)


def _bind(disk: Path, folder: Path) -> None:
    assert _mount(str(disk), folder, "none", BIND, ""), f"{disk} cannot be bound to {folder}"


def _mount(source: str, target: Path, kind: str, flags: int, options: str) -> bool:
    """In this process: a command for each would cost more than all that follows."""
    names = (os.fsencode(source), os.fsencode(target), kind.encode())
    return bool(_libc.mount(*names, flags, options.encode()) == 0)
