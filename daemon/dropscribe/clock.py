"""The one clock of the house: passed in, so that a test can own the time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Three views of time, each for its own use."""

    def now(self) -> float:
        """Seconds since the epoch, UTC: what is written down. May jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back: for waits and for two looks at a file. Stands still in suspend."""
        ...

    def boottime(self) -> float:
        """Seconds that go on in suspend: for 'too late to send'."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait on the monotonic clock."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Wake(asyncio.Event):
    """What a room waits for between its rounds. `taken_up` counts the rounds: it shows that the room still moves."""

    taken_up = 0

    def moved(self) -> None:
        """A long round has come further: counts like a round."""
        self.taken_up += 1

    def clear(self) -> None:
        self.moved()
        super().clear()


async def wait_for_event(event: asyncio.Event, clock: Clock, timeout: float | None) -> bool:
    """Return when `event` is set or `timeout` seconds have passed, whichever is first; then clear it.

    True where the event came.
    """
    if timeout is None:
        await event.wait()
    elif not event.is_set():
        waiter = asyncio.ensure_future(event.wait())
        sleeper = asyncio.ensure_future(clock.sleep(max(0.0, timeout)))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
    came = event.is_set()
    event.clear()
    return came
