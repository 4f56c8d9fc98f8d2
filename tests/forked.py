"""`dropscribe` as a child process that is forked from one that has imported it already.

It saves the second of importing that every child would need; all else (signals, files, exit codes) is a process's own.
"""

import multiprocessing
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
# Commands are loaded when they are called: what is to be there already has to be named.
_context.set_forkserver_preload([f"dropscribe.cli.{command}" for command in ("run", "check", "status", "retry")])


class Forked:
    """As much of `subprocess.Popen` as the tests use."""

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        stderr: Path,
        stdout: Path = Path(os.devnull),
        umask: int = -1,
    ) -> None:
        self.args = ["dropscribe", *arguments]
        self._process = _context.Process(
            target=_become, args=(list(arguments), str(cwd), dict(env), str(stdout), str(stderr), umask)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(arguments: list[str], cwd: str, env: dict[str, str], stdout: str, stderr: str, umask: int) -> None:
    from dropscribe.cli import main

    for path, descriptor in ((stdout, 1), (stderr, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    if umask >= 0:
        os.umask(umask)
    main(arguments)
