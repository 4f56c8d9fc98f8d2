"""Whether there is an endpoint, and on which port: follows the configuration, and outlives whatever happens to it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import structlog

from dropscribe.house import House

log = structlog.get_logger()

TRY_AGAIN = 30.0
"""Seconds between two tries to get the port."""


class Metrics:
    """Serves while a port is configured."""

    def __init__(self, house: House, threads: Executor, ended: Callable[[], Sequence[str]]) -> None:
        """`threads` look at the ledger beside everybody else; `ended` names the rooms that have ended."""
        self._house = house
        self._threads = threads
        self._ended = ended
        self._port: int | None = None
        self._changed = asyncio.Event()

    def reload(self) -> None:
        """The configuration was read anew."""
        if self._port != self._house.settings.metrics.port:
            self._changed.set()

    async def run(self) -> None:
        """Serve until cancelled; another port begins anew."""
        while True:
            self._changed.clear()
            self._port = self._house.settings.metrics.port
            serving = asyncio.create_task(self._serve(self._port))
            try:
                await self._changed.wait()
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    async def _serve(self, port: int | None) -> None:
        told = False
        while port is not None:
            try:
                await self._serve_once(port)
            except OSError as error:
                if not told:
                    reason, remedy = error.strerror or str(error), "name another port as metrics.port; no file waits"
                    log.error("metrics.unavailable", port=port, reason=reason, remedy=remedy)  # noqa: TRY400 - no bug
                told = True
            except Exception:  # whatever it is, it harms no file
                log.exception("metrics.bug")
            await self._house.clock.sleep(TRY_AGAIN)

    async def _serve_once(self, port: int) -> None:
        from dropscribe.metrics.server import Server  # noqa: PLC0415 - 0.1 s of importing, for those who asked for it

        await Server(self._house, self._threads, self._ended).serve(port)
