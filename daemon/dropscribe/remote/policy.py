"""How fast the services are called and how often a call is repeated: the one home of pacing and of tenacity.

Repeats here take seconds and stay inside one call. Waits of minutes and hours belong to the ledger, which survives a
restart; it takes their length from `slow_wait`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from dropscribe.clock import Clock

_T = TypeVar("_T")

_SHORTEST_SLEEP = 1e-6
_LONGEST_NAMED = 3600.0


class Pacer:
    """Lets calls through one after the other, at least `1 / rate` seconds apart, first come first served.

    A waiter that is cancelled costs no turn.
    """

    def __init__(self, rate: float, clock: Clock, *, first_quiet: float = 1.0, longest_quiet: float = 60.0) -> None:
        self._apart = 1.0 / rate
        self._clock = clock
        self._first_quiet = first_quiet
        self._longest_quiet = longest_quiet
        self._next = clock.monotonic()
        self._quiet_until = self._next
        self._complaints = 0
        self._queue = asyncio.Lock()  # asyncio's lock is fair: waiters get it in the order in which they came

    def rate(self, rate: float) -> None:
        """From the next turn on, `rate` calls a second."""
        self._apart = 1.0 / rate

    async def turn(self) -> None:
        """Return when the next call may be made."""
        async with self._queue:
            # Looked at anew after each sleep: a `quiet` may have come meanwhile.
            while (wait := self._next - self._clock.monotonic()) > _SHORTEST_SLEEP:
                await self._clock.sleep(wait)
            self._next = self._clock.monotonic() + self._apart

    def quiet(self, seconds: float | None = None) -> float:
        """After a 429: no turns for `seconds`, or, where the answer named none, for a wait that grows each time.

        Returns the wait in seconds. Complaints about calls that were already under way do not make it grow.
        """
        now = self._clock.monotonic()
        if seconds is not None:
            wait = min(max(seconds, 0.0), _LONGEST_NAMED)
        elif now < self._quiet_until:
            wait = self._quiet_until - now
        else:
            wait = slow_wait(self._complaints + 1, self._first_quiet, self._longest_quiet, 0.0)
            self._complaints += 1
        self._quiet_until = max(self._quiet_until, now + wait)
        self._next = max(self._next, self._quiet_until)
        return wait

    def worked(self) -> None:
        """A call went through: the next complaint starts with a short wait again."""
        if self._clock.monotonic() >= self._quiet_until:
            self._complaints = 0


class Flicker(Exception):
    """A fault that often passes within seconds, of a call that may be repeated; `fault` is raised when it does not."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        super().__init__(str(fault))


_WAIT = wait_exponential(multiplier=0.5, max=8.0) + wait_random(0.0, 0.5)


async def retrying_get(call: Callable[[], Awaitable[_T]], clock: Clock, tries: int = 4) -> _T:
    """What `call` returns; repeated while it raises `Flicker`, with growing waits on `clock`."""
    try:
        return await call()  # as good as always: building the policy costs a third of what fetching a small result does
    except Flicker as flicker:
        first: Flicker | None = flicker

    async def again() -> _T:
        nonlocal first
        if first is not None:  # the first try, which has been made
            failed, first = first, None
            raise failed
        return await call()

    policy = AsyncRetrying(
        sleep=clock.sleep,
        stop=stop_after_attempt(tries),
        wait=_WAIT,
        retry=retry_if_exception_type(Flicker),
        reraise=True,
    )
    try:
        return await policy(again)
    except Flicker as flicker:
        raise flicker.fault from flicker.__cause__


def retrying_blocking(call: Callable[[], _T], sleep: Callable[[float], None], tries: int = 3) -> _T:
    """The same for a blocking call; `sleep` takes seconds."""
    policy = Retrying(
        sleep=sleep,
        stop=stop_after_attempt(tries),
        wait=_WAIT,
        retry=retry_if_exception_type(Flicker),
        reraise=True,
    )
    try:
        return policy(call)
    except Flicker as flicker:
        raise flicker.fault from flicker.__cause__


def slow_wait(attempt: int, first: float, longest: float, jitter: float) -> float:
    """Seconds to wait after failure number `attempt` (from 1): doubles from `first`, never above `longest`.

    `jitter` is a random number from 0 to 1; it shortens the wait by up to a quarter, so that what failed together does
    not come back together.
    """
    whole = min(longest, first * 2.0 ** min(attempt - 1, 60))
    return whole * (1.0 - 0.25 * jitter)


def poll_wait(previous: float | None, first: float, longest: float) -> float:
    """Seconds until a task is asked for again, given the wait before (None: it was just submitted)."""
    return first if previous is None else min(longest, max(previous, first) * 1.5)
