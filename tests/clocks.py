"""Clocks that a test owns."""

import asyncio
import heapq
import itertools


class FakeClock:
    """Sleeping takes no time: the clock jumps to the moment the sleeper asked for. `slept` lists what was asked."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self._now = now
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    def boottime(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self._elapsed + seconds
        await asyncio.sleep(0)
        self._elapsed = max(self._elapsed, until)


class ManualClock(FakeClock):
    """Sleepers wake only when the test says `await advance_to_wake(seconds)`."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        super().__init__(now)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        await future

    async def advance_to_wake(self, seconds: float) -> None:
        """Move the time forward, waking sleepers in order, and let everything that became ready run."""
        target = self._elapsed + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, future = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            if not future.done():
                future.set_result(None)
            await self._settle()
        self._elapsed = target

    async def _settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
