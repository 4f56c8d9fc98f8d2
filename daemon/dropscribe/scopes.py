"""What is out of order, since when, and when it is tried again.

A fault of the account, the network, the service, the disk or a folder opens a scope and charges no file. An open scope
stops only what needs it. The wait doubles with each failed try and ends with the first success.

Who tries? `api`, `storage` and `downloads` are probed (`probe`): with a question, with an object that nobody misses.
Everything else is tried by what needs it: one real batch, one real file (half open), while the others wait for its
outcome.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace

import structlog

from dropscribe.clock import Clock, wait_for_event
from dropscribe.errors import OutOfOrder
from dropscribe.model import API, DOWNLOADS, STORAGE, Scope

log = structlog.get_logger()

PROBED = frozenset({API, STORAGE, DOWNLOADS})

Blame = Callable[[OutOfOrder, str], Awaitable[OutOfOrder]]
"""`blame(fault, own)`: the fault as it is where its whole probed scope is out of order, else as one of `own`."""

Remember = Callable[[Scope], Awaitable[None]]
Forget = Callable[[str], Awaitable[None]]

STEADY_AFTER = 2
"""Failed tries in a row after which a quiet fault ("slow down") is worth a line."""

TRIAL = 30.0
"""Seconds for which one try keeps all others from trying the same scope, unless its outcome is known before."""


@dataclass(frozen=True)
class Breaker:
    """One scope: how often it failed in a row, and from when on (monotonic) it may be tried.

    `trying`: somebody took the try and its outcome is not known; `told`: a line said that it is open.
    """

    scope: Scope
    failures: int
    may_try_at: float
    trying: bool = False
    told: bool = False


def next_wait(failures: int, retry_after: float | None, first: float, longest: float) -> float:
    """Seconds until the next try: what the other side said, else doubling from `first` to `longest`."""
    doubled = min(longest, first * 2.0 ** min(failures, 30))
    return doubled if retry_after is None else max(retry_after, 0.0)


class Scopes:
    """All scopes of a running daemon. One log line when a scope opens, one when it closes."""

    def __init__(
        self,
        clock: Clock,
        first: float,
        longest: float,
        remember: Remember,
        forget: Forget,
        clean: Callable[[str], str] = str,
        probed: Collection[str] = (),
    ) -> None:
        """`remember` and `forget` keep the ledger's copy, which `status` reads; `clean` takes secrets out of words.

        Those that are `probed` let nobody pass until they are in order; only `may_probe` takes a try.
        """
        self._clock = clock
        self._first = first
        self._longest = longest
        self._remember = remember
        self._forget = forget
        self._clean = clean
        self._probed = probed
        self._open: dict[str, Breaker] = {}
        self._listeners: list[Callable[[], None]] = []
        self._passing: list[asyncio.Event] = []
        """One for each that waits in `passage`."""

    def open_scopes(self) -> tuple[Scope, ...]:
        """What is out of order now."""
        return tuple(breaker.scope for breaker in self._open.values())

    def opened_by(self, name: str) -> Scope | None:
        """Why a scope is open, or None."""
        breaker = self._open.get(name)
        return None if breaker is None else breaker.scope

    def tell(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a scope opens, closes, or is to be tried at once."""
        self._listeners.append(listener)

    def retune(self, first: float, longest: float) -> None:
        """Other waits, from the next failure on; what is out of order is tried at once, for somebody may have mended
        it with the configuration.
        """
        self._first, self._longest = first, longest
        now = self._clock.monotonic()
        for name, breaker in self._open.items():
            # A try that is under way began with the old configuration: its failure is none of the new one's.
            self._open[name] = replace(breaker, failures=0, may_try_at=min(breaker.may_try_at, now), trying=False)
        self._spread_the_word()

    def may_probe(self, name: str) -> bool:
        """Whether a probed scope is open and due for a try; who asks takes it."""
        breaker, now = self._open.get(name), self._clock.monotonic()
        if breaker is None or breaker.may_try_at > now:
            return False
        self._open[name] = replace(breaker, may_try_at=now + TRIAL, trying=True)
        return True

    def may_pass(self, *names: str) -> bool:
        """Whether all of these scopes are in order, or due for a try. The first who asks takes the try."""
        found = [breaker for name in names if (breaker := self._open.get(name))]
        now = self._clock.monotonic()
        if any(breaker.may_try_at > now or breaker.scope.name in self._probed for breaker in found):
            return False
        for breaker in found:
            self._open[breaker.scope.name] = replace(breaker, may_try_at=now + TRIAL, trying=True)
        return True

    def wait(self, *names: str) -> float:
        """Seconds until the last of these scopes may be tried; 0 where all are in order. That a probed one is in order
        again is told, not waited for: its wait is long enough to cost nothing.
        """
        found = [breaker for name in names if (breaker := self._open.get(name))]
        now = self._clock.monotonic()
        waits = [breaker.may_try_at - now for breaker in found]
        return max([0.0, *waits, *(TRIAL for breaker in found if breaker.scope.name in self._probed)])

    def probe_in(self, name: str) -> float | None:
        """Seconds until a probed scope may be tried; None where it is in order."""
        breaker = self._open.get(name)
        return None if breaker is None else max(0.0, breaker.may_try_at - self._clock.monotonic())

    async def passage(self, *names: str) -> None:
        """Return when `may_pass`; waits as long as the scopes say."""
        news = asyncio.Event()
        self._passing.append(news)
        try:
            while not self.may_pass(*names):
                await wait_for_event(news, self._clock, max(0.02, self.wait(*names)))
        finally:
            self._passing.remove(news)

    def release(self, *names: str) -> None:
        """Give taken tries back, because nothing was tried: the next who asks takes them.

        Who waits in `passage` is told. Listeners are not: one that had asked, and gave back, would ask again at once.
        """
        now = self._clock.monotonic()
        for name in names:
            breaker = self._open.get(name)
            if breaker is not None and breaker.trying:
                self._open[name] = replace(breaker, may_try_at=now, trying=False)
                self._call_up()

    def note(self, scope: Scope) -> None:
        """A scope that is only known here: the ledger itself is out of order and cannot remember it."""
        self._open[scope.name] = Breaker(scope, 0, self._clock.monotonic())

    def strike_out(self, name: str) -> None:
        """End a noted scope."""
        self._open.pop(name, None)

    async def report(self, fault: OutOfOrder) -> None:
        """A try failed: open the scope, or lengthen its wait."""
        before = self._open.get(fault.scope)
        at = self._clock.monotonic()
        if before is not None and not before.trying and before.may_try_at > at:
            # It began before the scope opened: many that fail in one moment are one failed try.
            later = max(before.may_try_at, at + (fault.retry_after or 0.0))
            self._open[fault.scope] = replace(before, may_try_at=later)
            return
        failures = 0 if before is None else before.failures + 1
        wait = next_wait(failures, fault.retry_after, self._first, self._longest)
        if not fault.quiet:
            wait = max(wait, self._first)  # whatever the other side said: "at once" would be for ever
        now = self._clock.now()
        since = now if before is None else before.scope.since
        scope = Scope(fault.scope, fault.code, self._clean(fault.message), fault.remedy, since, now + wait)
        told = before is not None and before.told
        news = _is_news(before, fault, failures)
        self._open[fault.scope] = Breaker(scope, failures, at + wait, told=told or news)
        self._spread_the_word()
        if news:
            await self._announce(scope, fault, wait)
        elif told:
            await self._remember(scope)

    async def works(self, name: str) -> None:
        """Something that needed this scope succeeded: it is in order."""
        breaker = self._open.pop(name, None)
        if breaker is None:
            return
        self._spread_the_word()
        if not breaker.told:
            return
        await self._forget(name)
        log.info(
            "scope.closed", scope=name, code=breaker.scope.code, seconds=round(self._clock.now() - breaker.scope.since)
        )

    def _spread_the_word(self) -> None:
        for listener in tuple(self._listeners):
            listener()
        self._call_up()

    def _call_up(self) -> None:
        for news in self._passing:
            news.set()

    async def _announce(self, scope: Scope, fault: OutOfOrder, wait: float) -> None:
        await self._remember(scope)
        log.warning(
            "scope.opened",
            scope=scope.name,
            code=scope.code,
            message=scope.message,
            remedy=scope.remedy,
            request_id=fault.request_id,
            retry_in=round(wait, 1),
        )


def _is_news(before: Breaker | None, fault: OutOfOrder, failures: int) -> bool:
    told = before is not None and before.told
    if fault.quiet:
        return not told and failures >= STEADY_AFTER
    return not told or (before is not None and before.scope.code != fault.code)
