"""What the daemon's own process keeps to itself: its memory and its environment hold keys and recordings' words."""

import contextlib
import ctypes
import resource

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def keep_memory_private() -> None:
    """From now on: no core dump, and no other process of this user reads memory or environment through /proc.

    The second is for FFmpeg's child, which reads what strangers made and is of the same user. A program that the
    daemon starts begins anew, and is as readable as it ever was. Root still sees everything.
    """
    with contextlib.suppress(OSError, ValueError):  # systemd's filter of system calls may forbid it; the next does more
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
