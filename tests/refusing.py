"""A running process whose calls fail as a disk would have them fail: strace answers in the kernel's place.

For errors that no disk at hand gives: a quota needs a file system made for it, EIO a broken one.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import TOO_LONG, eventually


@contextmanager
def refusing(pid: int, calls: str, error: str, *paths: Path) -> Iterator[None]:
    """Within the block these calls of the process `pid` fail with `error` where they touch one of `paths`.

    A path is a file's, or a folder's for calls that name something in it; as the process itself calls it.
    """
    with _injected(pid, f"{calls}:error={error}", paths):
        yield


@contextmanager
def slow(pid: int, calls: str, seconds: float, *paths: Path) -> Iterator[None]:
    """The same for calls that take so much longer."""
    with _injected(pid, f"{calls}:delay_enter={int(seconds * 1_000_000)}", paths):
        yield


@contextmanager
def _injected(pid: int, what: str, paths: Sequence[Path]) -> Iterator[None]:
    if os.geteuid() != 0 or shutil.which("strace") is None:
        pytest.skip("needs strace, and root: the daemon lets nobody else near it")
    about = [f"--trace-path={path}" for path in paths]
    strace = subprocess.Popen(["strace", "-f", "-qqq", "-o", os.devnull, f"--inject={what}", *about, "-p", str(pid)])
    try:
        eventually(lambda: _all_traced(pid) or strace.poll() is not None)
        assert strace.poll() is None, "strace could not attach"
        yield
    finally:
        strace.send_signal(signal.SIGINT)  # it lets go of the process, which goes on
        strace.wait(TOO_LONG)


def _all_traced(pid: int) -> bool:
    return all("TracerPid:\t0" not in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status"))
