"""`launch.py STEP:PHASE:N ARGUMENTS...`: dropscribe, which dies by SIGKILL when it passes a boundary the N-th time."""

import os
import signal
import sys
import threading

from dropscribe import boundaries
from dropscribe.cli import main


def die_at(step: str, phase: str, number: int) -> None:
    """The process ends there, in whatever thread that is: no handler, no flush, no farewell."""
    passed = 0
    lock = threading.Lock()

    def observe(name: str, when: str) -> None:
        nonlocal passed
        if (name, when) == (step, phase):
            with lock:
                passed += 1
                if passed == number:
                    os.kill(os.getpid(), signal.SIGKILL)

    boundaries.observe(observe)


if __name__ == "__main__":
    where, *arguments = sys.argv[1:]
    step, phase, number = where.rsplit(":", 2)
    die_at(step, phase, int(number))
    main(arguments)
