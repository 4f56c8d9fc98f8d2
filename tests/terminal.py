"""A terminal of sorts: a command runs on it, and what stands on its screen at the end can be read."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def on_a_terminal(
    command: Sequence[str], environment: Mapping[str, str], columns: int = 100, term: str = "xterm"
) -> tuple[int, str]:
    """(exit code, everything that was written to it)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(command, stdin=theirs, stderr=theirs, env={**environment, "TERM": term}) as process:
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # its end, on Linux
            while part := os.read(ours, 65536):
                written += part
        code = process.wait()
    os.close(ours)
    return code, written.decode()


def screen(written: str) -> list[str]:
    """The lines that stand there at the end; knows what a progress bar uses."""
    lines, row, column = [""], 0, 0
    for match in _PIECE.finditer(written):
        numbers, letter, back, down, text = match.groups()
        if back:
            column = 0
        elif down:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row = max(0, row - int(numbers or 1))
        elif letter == "K" and numbers == "2":
            lines[row] = ""
        elif text:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines if line.strip()]
