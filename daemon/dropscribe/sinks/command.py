"""Notices to a command: its words as they are configured, no shell; JSON on its stdin, the gist in its environment.

It runs in a session of its own, is killed with all it has started when its time is over or the daemon stops, and never
sees our secrets: variables that hold one, and those by which we get ours, are left out of its environment.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Collection, Mapping, Sequence

from dropscribe.ledger.notices import Message
from dropscribe.message import environment_of
from dropscribe.sinks import NotTold

OURS = ("DASHSCOPE", "OSS_", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "DROPSCRIBE_")
"""Beginnings of names that are nobody's business but ours."""
MOST_SAID = 2000
"""Bytes of its stderr that are kept for the log."""
LAST_BREATH = 0.2
"""Seconds that stderr may outlive the command: something in the background may hold it open."""


class Command:
    """Runs the command once for each message; taken is what ends with 0."""

    name = "command"

    def __init__(
        self, words: Sequence[str], timeout: float, environ: Mapping[str, str], secrets: Collection[str]
    ) -> None:
        """`environ` is ours, `secrets` what must not be seen of it."""
        self._words, self._timeout = tuple(words), timeout
        self._environ = harmless(environ, secrets)

    async def tell(self, message: Message, body: bytes) -> None:
        process = await self._start(message)
        try:
            code, said = await asyncio.wait_for(_talk(process, body), self._timeout)
        except TimeoutError:
            raise NotTold(f"the command was still running after {self._timeout:g} s and was ended") from None
        finally:
            if process.returncode is None:
                await _kill(process)
        if code != 0:
            how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise NotTold(f"the command {how}{f': {said}' if said else ''}", its_own=True)

    async def _start(self, message: Message) -> Process:
        environ = self._environ | environment_of(message)
        try:
            return await asyncio.create_subprocess_exec(
                *self._words, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, env=environ, start_new_session=True
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise NotTold(f"the command cannot be started: {why}") from None

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


async def _talk(process: Process, body: bytes) -> tuple[int, str]:
    """Its exit code and the end of what it said on stderr."""
    listening = asyncio.ensure_future(_listen(process))
    try:
        await _feed(process, body)
        code = await process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(listening), LAST_BREATH)
    finally:
        listening.cancel()
    said = listening.result() if listening.done() and not listening.cancelled() else b""
    return code, said.decode("utf-8", "replace").strip()


async def _feed(process: Process, body: bytes) -> None:
    """A command that does not read its stdin is right as well."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(body)
        await process.stdin.drain()
    process.stdin.close()


async def _listen(process: Process) -> bytes:
    assert process.stderr is not None
    said = b""
    while piece := await process.stderr.read(4096):
        said = (said + piece)[-MOST_SAID:]
    return said


async def _kill(process: Process) -> None:
    """The command and all it has started in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
