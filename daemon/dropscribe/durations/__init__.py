"""How long a recording lasts, asked of a process of its own.

FFmpeg reads what strangers made. In a child a file that makes it crash or hang costs one estimate, not the daemon; and
the child has none of our secrets in its environment. It is started at the first question and ends when it is closed.
"""

import contextlib
import os
import select
import subprocess
import sys
import threading
from pathlib import Path

from dropscribe.processors import anywhere

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 10.0
"""Seconds for one file, start of the child included; measured are 0.5 to 16 ms."""
NO_FFMPEG = 3
"""How the child ends where PyAV is not to be had."""
KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR")


class Durations:
    """Answers one question at a time; thread-safe, blocking."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._hopeless = False

    def of(self, root: Path, path: bytes) -> float | None:
        """Seconds of the file `path` within `root`, reached without following a link below that.

        None where nobody can tell (not media, truncated, no sound, FFmpeg is not there).
        """
        with self._lock:
            if self._hopeless:
                return None
            try:
                return self._ask(root, path)
            except OSError:  # it died before it was asked
                self._give_up(died=True)
                return None

    def close(self) -> None:
        """End the child; whoever asks from now on is told that nobody knows."""
        self._hopeless = True
        child = self._child
        if child is not None:  # without the lock: whoever waits for an answer gets its end of file
            child.kill()
        with self._lock:
            self._end()

    def _ask(self, root: Path, path: bytes) -> float | None:
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{os.fsencode(root).hex()} {path.hex()}\n".encode())
        child.stdin.flush()
        answers = select.poll()
        answers.register(child.stdout, select.POLLIN)
        ready = answers.poll(self.patience * 1000)
        line = child.stdout.readline() if ready else b""
        if not line.endswith(b"\n"):  # it died of this file, or hangs in it
            self._give_up(died=bool(ready))
            return None
        try:
            return float(line)
        except ValueError:  # "-", or what a broken child may say
            return None

    def _give_up(self, died: bool) -> None:
        if died and self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._hopeless |= self._child.wait(1.0) == NO_FFMPEG
        self._end()

    def _start(self) -> "subprocess.Popen[bytes]":
        environ = {name: os.environ[name] for name in KEPT if name in os.environ}
        # -P: the worker's own folder is no place to import from
        command = [sys.executable, "-P", str(WORKER)]
        with anywhere():
            self._child = subprocess.Popen(  # noqa: S603 - our own file
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a dead share lets nobody go
            child.wait(1.0)
