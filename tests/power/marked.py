"""`marked.py PIPE PASSINGS ARGUMENTS...`: dropscribe, which says into a pipe which boundary it passes.

At the passings named (`1`, or `1,3`: the first and the third of each boundary) it stops itself whole, all threads at
once, so that what the disk and the cloud hold at that very moment can be written down; SIGCONT lets it go on.
"""

import os
import signal
import sys
import threading
from collections import Counter

from dropscribe import boundaries
from dropscribe.cli import main


def mark(pipe: int, passings: frozenset[int]) -> None:
    passed: Counter[tuple[str, str]] = Counter()
    lock = threading.Lock()  # one stop at a time

    def observe(step: str, phase: str) -> None:
        with lock:
            passed[step, phase] += 1
            number = passed[step, phase]
            if number in passings:
                os.write(pipe, f"mark {os.getpid()} {step}:{phase}:{number}\n".encode())
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    boundaries.observe(observe)


if __name__ == "__main__":
    pipe, passings, *arguments = sys.argv[1:]
    mark(int(pipe), frozenset(int(number) for number in passings.split(",")))
    main(arguments)
