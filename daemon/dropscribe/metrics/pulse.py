"""The signs of life of a running daemon, taken every few seconds and judged by `health.trouble`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

import structlog
from sqlalchemy import Connection

from dropscribe.health import Signs, Trouble, trouble
from dropscribe.house import House
from dropscribe.ledger import is_full, upkeep
from dropscribe.ledger.figures import something_due

log = structlog.get_logger()

BEAT = 5.0
LOOK_EVERY = 60.0
"""Seconds between two looks at the whole ledger."""


class Pulse:
    """`trouble()` may be asked at any time, also while a beat is stuck: that is what it tells."""

    def __init__(self, house: House, threads: Executor, ended: Callable[[], Sequence[str]]) -> None:
        """`ended` names the rooms that are not there any more; `threads` look at the ledger beside everybody."""
        self._house = house
        self._threads = threads
        self._ended = ended
        now = house.clock.monotonic()
        self._loop_at = self._moved_at = now
        self._ledger_asked: float | None = None
        self._standing: upkeep.Standing | None = None
        self._answers = 0
        self._due = self._out = self._full = False

    async def run(self) -> None:
        """Beat until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(BEAT, self._beat))
            group.create_task(self._every(BEAT, self._write))
            group.create_task(self._every(LOOK_EVERY, self._look))

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while True:
            await act()
            await self._house.clock.sleep(seconds)

    async def _beat(self) -> None:
        self._loop_at = self._house.clock.monotonic()

    async def _write(self) -> None:
        """An empty transaction waits its turn, and where the disk refuses it does not come back."""
        self._ledger_asked = self._house.clock.monotonic()
        loop, state = asyncio.get_running_loop(), self._house.settings.state
        self._full = await loop.run_in_executor(self._threads, is_full, state)  # it may be that nobody writes now
        await self._house.ledger.do(_nothing)
        self._ledger_asked = None

    async def _look(self) -> None:
        now = self._house.clock.now()
        found, due = await asyncio.get_running_loop().run_in_executor(self._threads, self._look_now, now)
        self._out, self._due = found.out, due
        if found.moves(self._standing) or self._house.answers != self._answers:
            self._moved_at = self._house.clock.monotonic()
        self._standing, self._answers = found, self._house.answers

    def _look_now(self, now: float) -> tuple[upkeep.Standing, bool]:
        ledger = self._house.ledger
        return ledger.look_now(upkeep.standing, self._standing), ledger.look_now(something_due, now)

    def trouble(self) -> Trouble | None:
        """Why the daemon is not well; None where it is."""
        return trouble(
            Signs(
                now=self._house.clock.monotonic(),
                loop_at=self._loop_at,
                moved_at=self._moved_at,
                ledger_asked=self._ledger_asked,
                ledger_full=self._full,
                scopes=[scope.name for scope in self._house.scopes.open_scopes()],
                due=self._due,
                out=self._out,
                ended=self._ended(),
            )
        )


def _nothing(_: Connection) -> None:
    return None
