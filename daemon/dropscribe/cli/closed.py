"""stdin, stdout or stderr that whoever started us has closed (`>&-`) lead nowhere."""

import os
import sys

STANDARD = (0, 1, 2)


def lead_nowhere() -> None:
    """Open what is closed of the three on /dev/null, for us and for our children.

    Else the next file, the ledger even, gets such a number, and is written into by whoever writes to stderr.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest free number: this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as we live
            setattr(sys, name, stream)
