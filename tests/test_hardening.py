"""What the daemon's process keeps to itself."""

import ctypes
import os
import resource
from collections.abc import Callable

from dropscribe.hardening import keep_memory_private
from plain_user import NOBODY

PR_SET_DUMPABLE = 4


def in_a_child(act: Callable[[], bool]) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def reads_its_parent() -> bool:
    try:
        with open(f"/proc/{os.getppid()}/environ", "rb") as file:
            return file.read() is not None
    except OSError:
        return False


def as_an_ordinary_user() -> bool:
    """Whether another process of this user reads the environment before, and no more after."""
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as any program is that this user starts
    before = in_a_child(reads_its_parent)
    keep_memory_private()
    after = in_a_child(reads_its_parent)
    own = bool(os.listdir("/proc/self/fd"))
    return before and not after and own and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def test_no_process_of_the_same_user_reads_memory_or_environment_and_nothing_is_dumped() -> None:
    assert in_a_child(as_an_ordinary_user)
