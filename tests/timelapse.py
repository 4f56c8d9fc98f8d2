"""The daemon in the test's own process, on a clock that the test moves together with the sandbox's: hours take moments.

Everything is real (files, sockets, ledger, threads) but the time. While a test waits for something, the clock jumps to
the moment that the daemon waits for next, whenever nothing else goes on.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from structlog.testing import capture_logs
from structlog.typing import EventDict

from dropscribe import boundaries
from dropscribe.config import load
from dropscribe.remote.oss import OssStore
from dropscribe.sandbox import RunningSandbox
from dropscribe.service import Service
from lab import Lab

QUIET = 0.006
"""Real seconds without a call and without a new sleeper after which nothing goes on."""
LOOK = 0.002
LATE = 0.004
"""A look that takes this long says that the machine is busy: others may not have had their turn either."""
LONGEST_ACT = 0.1
"""Real seconds without a sign after which a call, a thread or a write that has not ended is thought to hang."""
LONGEST_HOLD = 0.3
"""Real seconds after which a submit that is never sent (there was none to send; nobody answers) holds the time no more.
"""
LONGEST_JUMP = 3600.0


@dataclass
class _Sleeper:
    due: float
    woken: asyncio.Future[None]


class SharedTime:
    """A clock that runs as the machine's does, and jumps, with the sandbox's, when it is told to."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox
        self._ahead = 0.0
        self._suspended = 0.0
        self._sleepers: list[_Sleeper] = []
        self.sleeps = 0

    def now(self) -> float:
        return time.time() + self._ahead + self._suspended

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead

    def boottime(self) -> float:
        return time.monotonic() + self._ahead + self._suspended

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        sleeper = _Sleeper(self.monotonic() + seconds, loop.create_future())
        by_itself = loop.call_later(seconds, _wake, sleeper)
        self._sleepers.append(sleeper)
        try:
            await sleeper.woken
        finally:
            by_itself.cancel()
            self._sleepers.remove(sleeper)

    def jump(self, seconds: float) -> None:
        """Move both clocks; who waited for a moment that has passed wakes."""
        self._ahead += seconds
        self._sandbox.advance(seconds)
        for sleeper in self._sleepers:
            if sleeper.due <= self.monotonic():
                _wake(sleeper)

    def suspend(self, seconds: float) -> None:
        """A laptop that slept: the world's time passed, the monotonic clock stood still."""
        self._suspended += seconds
        self._sandbox.advance(seconds)

    def until_next(self) -> float:
        """Seconds until somebody wakes, here or in the sandbox."""
        here = max(0.0, min((sleeper.due for sleeper in self._sleepers), default=0.0) - self.monotonic())
        there = self._sandbox.sandbox.until_next
        return here if there is None else min(here, there + 0.001)


def _wake(sleeper: _Sleeper) -> None:
    if not sleeper.woken.done():
        sleeper.woken.set_result(None)


@dataclass
class Days:
    """A daemon at work, and the time in which it works."""

    lab: Lab
    time: SharedTime
    service: Service
    log: list[EventDict]
    on_boundary: Callable[[str, str], None] = lambda step, phase: None
    """Called as `boundaries.observe` would have it."""
    _at_work: int = 0
    _about_to_send: int = 0
    _to_arrive: int = 0
    """How many submits the sandbox will have seen once the last one that left has come."""
    _held_for: float = 0.0
    running: asyncio.Task[Any] = field(init=False)

    @property
    def is_running(self) -> bool:
        return not self.running.done()

    def logged(self, event: str, **having: object) -> list[EventDict]:
        """The lines of one event that hold these values."""
        return [line for line in self.log if line["event"] == event and having.items() <= line.items()]

    async def until(self, condition: Callable[[], Any], within: float = 40.0) -> Any:
        """Wait for what the daemon does, letting the time jump over its waits; `within` are real seconds."""
        end = time.monotonic() + within
        while True:
            if value := condition():
                return value
            assert time.monotonic() < end, f"did not happen: {condition}; the log says {self.log[-12:]}"
            assert not self.running.done(), f"the daemon has ended: {self.running}"
            if await self._is_quiet():
                self.time.jump(min(LONGEST_JUMP, self.time.until_next()))

    async def passes(self, hours: float = 0.0, minutes: float = 0.0, step: float = 600.0) -> None:
        """Let so much time pass, in jumps of `step` seconds."""
        left = hours * 3600 + minutes * 60
        while left > 0:
            await self.calm()
            self.time.jump(min(step, left))
            left -= step
        await self.calm()

    async def calm(self) -> None:
        """Return when nothing goes on."""
        while not await self._is_quiet():
            pass

    async def _is_quiet(self) -> bool:
        """Whether nothing was asked, nobody fell asleep, and nothing was about to be sent for a while."""
        before = self._activity()
        quiet = 0.0
        while quiet < (LONGEST_ACT if self._acts() else QUIET):
            asked = time.monotonic()
            await asyncio.sleep(LOOK)
            if self._activity() != before or self._is_held():
                return False
            took = time.monotonic() - asked
            quiet += took if took < LATE else LOOK / 4
        return True

    def _acts(self) -> bool:
        """Whether something has begun that has not ended: a call, a thread's work, a write."""
        return self._at_work + self.lab.sandbox.sandbox.open_calls + self.service.ledger.waiting > 0

    def count_work(self) -> None:
        """Know from now on what the loop's threads have to do."""
        loop = asyncio.get_running_loop()
        run = loop.run_in_executor

        def run_counted(executor: Any, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
            self._at_work += 1
            future = run(executor, work, *arguments)
            future.add_done_callback(self._one_less)
            return future

        loop.run_in_executor = run_counted  # type: ignore[method-assign]

    def _one_less(self, _: object) -> None:
        self._at_work -= 1

    def _is_held(self) -> bool:
        """Between intent and request no time passes but what the test lets pass: the request would not leave. Nor does
        it while the request is on its way: it would come hours after its intent.
        """
        on_its_way = self.lab.sandbox.sandbox.arrivals("submit") < self._to_arrive
        if not (self._about_to_send > 0 or on_its_way) or self._held_for >= LONGEST_HOLD:
            return False
        self._held_for += LOOK
        return True

    def passed(self, step: str, phase: str) -> None:
        """What `boundaries.observe` tells."""
        if (step, phase) == ("submit.intend", "before"):
            self._about_to_send += 1
            self._held_for = 0.0
        if (step, phase) == ("submit.post", "before"):
            self._about_to_send -= 1
            self._held_for = 0.0
            self._to_arrive = self.lab.sandbox.sandbox.arrivals("submit") + 1
        self.on_boundary(step, phase)

    def _activity(self) -> tuple[int, int, int, int]:
        wal = self.lab.state / "ledger.sqlite-wal"
        written = wal.stat().st_mtime_ns if wal.exists() else 0
        return (self.time.sleeps, self.lab.sandbox.sandbox.traffic, written, len(self.log))


@asynccontextmanager
async def living(lab: Lab, **how: Any) -> AsyncIterator[Days]:
    """A daemon that runs through the block; stopped in order at its end. `how` goes to `Service`."""
    clock = how.pop("clock", None) or SharedTime(lab.sandbox)
    lab.sandbox.change(signed_by_real_time=True)
    settings = load(lab.config, os.environ)
    store = OssStore(settings.storage, sleep=lambda _: None)
    with capture_logs() as log:
        service = Service(settings, clock=clock, store=store, reread=lambda: load(lab.config, os.environ), **how)
        days = Days(lab, clock, service, log)
        boundaries.observe(days.passed)
        days.count_work()
        days.running = asyncio.create_task(service.run())
        try:
            yield days
        finally:
            service.stop()
            await days.running
            boundaries.observe(None)
