"""On which processors the threads of this process run.

Threads that share one interpreter take turns at it, wherever they are: what comes back from a system call has to get it
from another one. Spread over processors, each turn wakes a processor that sleeps; side by side on one it is a mere
change of threads, and a small file costs two thirds (bench/RESULTS.md). What works for long without the interpreter,
as the sums of a large file or its encryption on the way, may run anywhere.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Set
from pathlib import Path

LARGE = 1024 * 1024
"""Bytes of work from which on a change of processors is worth it."""

_allowed: frozenset[int] = frozenset()
"""Those that the process may use; empty while it is not kept to one of them."""


def share_one() -> None:
    """Keep the threads that will be made to the processor that this one runs on; to be called while it is the only one.

    Nothing changes where Python has no lock of the interpreter, or a filter of system calls forbids it.
    """
    global _allowed  # noqa: PLW0603 - it belongs to the process, as its working directory does
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return
    with contextlib.suppress(OSError):
        allowed = frozenset(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {_current()} & allowed or allowed)
        _allowed = allowed


@contextlib.contextmanager
def anywhere(size: int = LARGE) -> Iterator[None]:
    """Within the block this thread, and a program that it starts, may use any processor; for less than LARGE bytes of
    work it stays where it is.
    """
    if size < LARGE or len(_allowed) <= 1:
        yield
        return
    home = os.sched_getaffinity(0)
    _move_to(_allowed)
    try:
        yield
    finally:
        _move_to(home)


def _move_to(processors: Set[int]) -> None:
    """They may all have been taken from us meanwhile; then the kernel has chosen others, which is as good."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, processors)


def _current() -> int:
    """The processor that this thread runs on: field 39 of `stat` in proc(5)."""
    return int(Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[36])
