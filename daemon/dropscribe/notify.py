"""Whoever wants to know is told what has happened, at least once, and no file ever waits for it.

fact and notice in one transaction -> gathered -> message, durable -> sent -> forgotten

Each sink has a loop of its own and one message under way. A failure makes the sink rest for a growing wait; a message
that the receiver refused for a reason of its own is put aside, so that it blocks nobody. What nobody has taken for days
is dropped, and so is the oldest of too much.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from dropscribe.boundaries import Step
from dropscribe.config.settings import NotifySettings
from dropscribe.house import House
from dropscribe.ledger import notices
from dropscribe.ledger.notices import Message
from dropscribe.message import body_of, rest
from dropscribe.sinks import NotTold, Sink

log = structlog.get_logger()

SEND = Step("notify.send")

TOGETHER = 100
"""Files that one message tells of at most."""
GATHER = 1.0
"""Seconds between two messages to a sink, in which the news of a burst come together."""
LOOK_EVERY = 1.0
MOST_WAITING = 100_000
AFTER_A_BUG = 60.0


@dataclass
class _Sending:
    """One sink, and how it goes with it."""

    sink: Sink
    failures: int = 0

    @property
    def name(self) -> str:
        return self.sink.name


class Notifier:
    """Takes the outbox of the ledger to the sinks."""

    def __init__(self, house: House, build: Callable[[NotifySettings], Sequence[Sink]]) -> None:
        """`build` makes the sinks of a configuration; it is called in the loop, anew after each change."""
        self._house = house
        self._ledger, self._clock = house.ledger, house.clock
        self._build = build
        self._sinks: list[_Sending] = []
        self._settings: NotifySettings | None = None
        self._changed = asyncio.Event()

    def reload(self) -> None:
        """The configuration was read anew: what is under way goes on, unless it is about us."""
        if self._settings is not None and self._settings != self._house.settings.notify:
            self._changed.set()

    async def run(self) -> None:
        """Tell until cancelled; a changed configuration begins anew."""
        while True:
            self._changed.clear()
            try:
                await self._until_changed()
            except Exception:  # whatever it is, it harms no file, and the daemon goes on
                log.exception("notify.bug")
                await self._clock.sleep(AFTER_A_BUG)

    async def _until_changed(self) -> None:
        await self.subscribe()
        loops = [asyncio.create_task(self._serve(sending)) for sending in self._sinks]
        try:
            await self._changed.wait()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._close()

    async def subscribe(self) -> None:
        """The sinks of the configuration as it is now, and the ledger told of them."""
        self._settings = settings = self._house.settings.notify
        self._sinks = [_Sending(sink) for sink in self._build(settings)]
        wanted: Mapping[str, Sequence[str]] = {sending.name: settings.events for sending in self._sinks}
        dropped = await self._ledger.do(notices.subscribe, wanted)
        if dropped:
            log.warning("notify.dropped", notices=dropped, reason="nobody is configured to get them any more")

    async def flush(self, seconds: float) -> None:
        """Send what waits once, for at most so long: for a run that ends by itself, which nobody follows."""
        try:
            await asyncio.wait_for(self._tell_all(), seconds)
        except TimeoutError:
            pass
        except Exception:  # the run has ended well without it
            log.exception("notify.bug")

    async def _tell_all(self) -> None:
        if self._settings != self._house.settings.notify:
            await self.subscribe()
        try:
            await asyncio.gather(*(self._send_all(sending) for sending in self._sinks))
        finally:
            await self._close()

    async def _close(self) -> None:
        for sending in self._sinks:
            await sending.sink.close()

    async def _serve(self, sending: _Sending) -> None:
        while True:
            try:
                pause = await self._round(sending)
            except Exception:  # whatever it is, it harms no file, and the daemon goes on
                log.exception("notify.bug", sink=sending.name)
                pause = AFTER_A_BUG
            await self._clock.sleep(pause)

    async def _round(self, sending: _Sending) -> float:
        """Send one message; seconds until the next look."""
        due = await self._ledger.look(notices.next_due, sending.name)
        if due is None:
            return LOOK_EVERY
        await self._drop_old(sending)
        if due > self._clock.now():
            return LOOK_EVERY
        return await self._send(sending) or GATHER

    async def _send_all(self, sending: _Sending) -> None:
        while await self._ledger.look(notices.next_due, sending.name) is not None:
            if await self._send(sending):
                return

    async def _drop_old(self, sending: _Sending) -> None:
        assert self._settings is not None
        before = self._clock.now() - self._settings.keep
        if not await self._ledger.look(notices.too_many, sending.name, before, MOST_WAITING):
            return
        dropped = await self._ledger.do(notices.drop_old, sending.name, before, MOST_WAITING)
        if dropped:
            reason = f"nobody took them for {self._settings.keep:g} s, or too many wait"
            log.warning("notify.dropped", sink=sending.name, notices=dropped, reason=reason)

    async def _send(self, sending: _Sending) -> float:
        """One message, if one is due; seconds to rest after a failure, else 0."""
        now = self._clock.now()
        message = await self._ledger.do(notices.next_message, sending.name, self._ledger.id, now, TOGETHER)
        if message is None:
            return LOOK_EVERY
        try:
            SEND.before()
            await sending.sink.tell(message, body_of(message, self._ledger.id, self._house.clean))
        except NotTold as failure:
            return await self._failed(sending, message, failure)
        SEND.effect()
        await self._ledger.do(notices.told, message.id)
        SEND.recorded()
        if sending.failures:
            log.info("notify.works", sink=sending.name, failures=sending.failures)
        sending.failures = 0
        return 0.0

    async def _failed(self, sending: _Sending, message: Message, failure: NotTold) -> float:
        sending.failures += 1
        wait = max(rest(sending.failures), failure.retry_after or 0.0)
        aside = self._clock.now() + rest(message.tries + 1) if failure.its_own else 0.0
        await self._ledger.do(notices.not_told, message.id, aside)
        if sending.failures == 1:  # one line when it begins, one when it ends
            reason = self._house.clean(str(failure))
            log.warning("notify.failing", sink=sending.name, reason=reason, remedy="it is tried again, no file waits")
        return wait
