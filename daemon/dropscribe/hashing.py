"""Taking a settled file: what it contains, bound to how it looked, from one read."""

import fcntl
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fastcrc

from dropscribe.disk.sources import Stopped, chunks, expect, look_at, look_of_stat, open_source, opened
from dropscribe.errors import DropscribeError
from dropscribe.model import Fingerprint, Look
from dropscribe.mounts import is_network
from dropscribe.names import display
from dropscribe.processors import anywhere

__all__ = [
    "Crc64",
    "StillOpen",
    "Stopped",
    "held_for_writing",
    "look_at",
    "look_of_stat",
    "open_source",
    "read_lease",
    "take",
]


class StillOpen(DropscribeError):
    """A program still holds the file open for writing: it is not finished, however long it has been still."""


class Crc64:
    """CRC-64/XZ (what OSS calls crc64ecma), fed piece by piece."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def update(self, piece: memoryview | bytes) -> None:
        self.value = int(fastcrc.crc64.xz(piece, self.value))


def take(root: Path, path: bytes, look: Look, stop: Callable[[], bool]) -> Fingerprint:
    """Read the file once and bind its content to `look`. Blocking; `stop` is asked between pieces of 1 MiB.

    Raises SourceChanged (it is not, or no longer, what `look` saw), StillOpen (a writer holds it), Stopped,
    PermissionError (unreadable), other OSError (a fault of the disk, or `root` is missing).
    """
    with opened(root, path, look) as descriptor, anywhere(look.size):
        if held_for_writing(descriptor) and not _is_remote(root, path):
            raise StillOpen(f"{display(path)} is still open for writing in another program; dropscribe waits for it")
        sha256, crc64 = hashlib.sha256(), Crc64()
        for piece in chunks(descriptor, path, look.size, stop):
            sha256.update(piece)
            crc64.update(piece)
        expect(descriptor, path, look, "changed while it was read")
        return Fingerprint(look, sha256.hexdigest(), crc64.value)


def held_for_writing(descriptor: int) -> bool:
    """Whether some program has the file open for writing; False where the file system can not tell."""
    with read_lease(descriptor) as granted:
        return granted is False


@contextmanager
def read_lease(descriptor: int) -> Iterator[bool | None]:
    """Ask for a read lease, which the kernel grants only while nobody has the file open for writing.

    Gives True (granted, and held within the block: a writer that comes has to wait), False (there is a writer) or
    None (no telling: not our file, or a file system without leases).
    """
    granted = _ask_for_lease(descriptor)
    try:
        yield granted
    finally:
        if granted:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _ask_for_lease(descriptor: int) -> bool | None:
    try:
        # A writer that comes is announced by SIGIO, which kills by default; SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_remote(root: Path, path: bytes) -> bool:
    """NFS and SMB refuse a lease with the same EAGAIN when they merely hold no delegation."""
    return is_network(root / os.fsdecode(path))
