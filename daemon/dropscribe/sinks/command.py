"""Notices to a command: its words as they are configured, no shell; JSON on its stdin, the gist in its environment.

It runs in a session of its own, is killed with all it has started when its time is over or the daemon stops, and never
sees our secrets: variables that hold one, and those by which we get ours, are left out of its environment. asyncio's
own subprocesses would wait for whatever the command has left in the background with its stderr open.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from subprocess import DEVNULL, Popen

from dropscribe.ledger.notices import Message
from dropscribe.message import environment_of
from dropscribe.processors import anywhere
from dropscribe.sinks import NotTold

OURS = ("DASHSCOPE", "OSS_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "DROPSCRIBE_")
"""Beginnings of names that are nobody's business but ours."""
MOST_SAID = 2000
"""Bytes of its stderr that are kept for the log."""


class Command:
    """Runs the command once for each message; taken is what ends with 0."""

    name = "command"

    def __init__(
        self, words: Sequence[str], timeout: float, environ: Mapping[str, str], secrets: Collection[str]
    ) -> None:
        """`environ` is ours, `secrets` what must not be seen of it; both are looked at anew for each message."""
        self._words, self._timeout = tuple(words), timeout
        self._environ, self._secrets = environ, secrets

    async def tell(self, message: Message, body: bytes) -> None:
        ear, mouth = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            process = self._start(message, body, mouth)
            os.close(mouth)
            with _listening(ear) as said:
                code = await self._end_of(process)
        finally:
            os.close(ear)
        if code != 0:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            words = said.decode("utf-8", "replace").strip()
            raise NotTold(f"the command {how}{f': {words}' if words else ''}", its_own=True)

    def _start(self, message: Message, body: bytes, mouth: int) -> "Popen[bytes]":
        environ = harmless(self._environ, self._secrets) | environment_of(message)
        os.set_blocking(mouth, True)  # the command's end
        try:
            with _as_file(body) as stdin, anywhere():
                return Popen(  # noqa: S603 - the very command that the configuration names
                    self._words, stdin=stdin, stdout=DEVNULL, stderr=mouth, env=environ, start_new_session=True
                )
        except (OSError, ValueError) as error:
            os.close(mouth)
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise NotTold(f"the command cannot be started: {why}") from None

    async def _end_of(self, process: "Popen[bytes]") -> int:
        """Its exit code. Cancelled or too late, it is killed."""
        waiting = asyncio.get_running_loop().run_in_executor(None, process.wait)
        try:
            return await asyncio.wait_for(asyncio.shield(waiting), self._timeout)
        except TimeoutError:
            raise NotTold(f"the command was still running after {self._timeout:g} s and was ended") from None
        finally:
            if not waiting.done():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Nothing is kept between two messages."""


def harmless(environ: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    """`environ` without what is ours, and without every variable that holds a secret."""
    hidden = [secret for secret in secrets if secret]
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(OURS) and not any(secret in value for secret in hidden)
    }


@contextlib.contextmanager
def _as_file(body: bytes) -> Iterator[int]:
    """A descriptor from which the body can be read: a command that does not read it blocks nobody."""
    descriptor = os.memfd_create("notice", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(body)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(ear: int) -> Iterator[bytearray]:
    """What is said into the pipe within the block, of that the end."""
    loop, said = asyncio.get_running_loop(), bytearray()

    def listen() -> None:
        with contextlib.suppress(BlockingIOError):
            piece = os.read(ear, 65536)
            said.extend(piece)
            del said[:-MOST_SAID]
            if not piece:
                loop.remove_reader(ear)

    loop.add_reader(ear, listen)
    try:
        yield said
        listen()
    finally:
        loop.remove_reader(ear)
