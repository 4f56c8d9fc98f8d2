"""The spend guard: nothing is uploaded whose payment is not reserved, and nothing is reserved beyond the limits.

claim asks -> durations measured -> reserved or held in the ledger -> ... -> billed -> room -> what was held goes on

The ledger decides (`ledger.spending`); this room tells it which day and month it is, that the clock was set back, how
long recordings last, and what a batch cost whose answer did not say so, and it says what waits.
"""

import asyncio
import gzip
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor

import structlog

from dropscribe.allowance import KEYS, Limit, Windows, hours, limits_now, windows
from dropscribe.clock import wait_for_event
from dropscribe.durations import Durations
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.ledger import spending, upkeep
from dropscribe.ledger.spending import Held, Unmeasured
from dropscribe.transcript import UnusableResult, speech_seconds

log = structlog.get_logger()

SCOPE, TOO_LONG = "limits", "limits:too-long"
LOOK_EVERY = 1.0
"""Seconds between two looks while something is held: a bill may have made room."""
LOOK_A_FILE = 1e-4
"""Seconds more for each that is held: looking at a hundred thousand costs 50 ms."""
IDLE_LOOK = 60.0
ATTENTIVE_FOR = 5.0
"""Seconds after a claim was asked for in which it may turn out to hold something."""
SAID_AFTER = 2.0
"""Seconds that something has to be held before it is said: the next bill may be about to make room."""
SET_BACK = 1.0
"""Seconds; by less, clocks are set all the time."""
WAITED_TOO_LONG = "they waited for a moment too far ahead, as a clock that is set back leaves them; they go on at once"
SLOW_FOR = 600.0
"""Seconds for which an inbox is not measured after one of its files took too long: a dead share."""


class Budget:
    """Keeps the limits, and says when they hold something."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        durations: Durations,
        on_room: Callable[[], None],
        on_due: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_room` is called when something that was held may go on, `on_due` when what waited for a moment may."""
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._durations = durations
        self._on_room, self._on_due = on_room, on_due
        self._limits: tuple[Limit, ...] | None = None
        self._windows: Windows | None = None
        self._slow: dict[str, float] = {}
        self._told: dict[str, object] = {}
        self._ahead: float | None = None
        """Seconds of the wall clock above the monotonic one; it grows while the machine is suspended."""
        self._attentive_until = 0.0
        self._asked_for_some = False
        """Whether the last claim was told durations: measuring them, or a storage out of order, may have delayed it."""
        self.wake = asyncio.Event()

    async def measured(self, shut: Collection[str]) -> Mapping[int, float | None]:
        """Seconds (None: not known) of what is reserved for next. Empty where nothing is limited, or nothing is new."""
        try:
            return await self._measured(shut)
        except Exception:  # sizes have to do: the ledger holds to the limits it was told, and uploads go on
            log.exception("budget.bug")
            return {}

    async def _measured(self, shut: Collection[str]) -> Mapping[int, float | None]:
        if not await self._keep_time():
            return {}
        now = self._clock.now()
        found = await self._ledger.look(spending.unmeasured, now, spending.PAGE, shut)
        if found or self._asked_for_some:  # the claim that may hold them is yet to come, or has come since
            self._attentive_until = self._clock.monotonic() + ATTENTIVE_FOR
            self.wake.set()
        self._asked_for_some = bool(found)
        if not found:
            return {}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, lambda: {one.recognition_id: self._measure(one) for one in found}
        )

    async def run(self) -> None:
        """Keep the limits until cancelled."""
        while True:
            try:
                pause = await self._round()
            except Exception:  # it holds files back rather than letting them pass; the daemon goes on
                log.exception("budget.bug")
                pause = IDLE_LOOK
            await wait_for_event(self.wake, self._clock, pause)

    async def _round(self) -> float:
        await self._notice_set_back()
        await self._keep_time()
        await self._settle_unsaid()
        while await self._ledger.look(spending.may_promote) and await self._ledger.do(spending.promote):
            self._on_room()
        waiting = await self._ledger.look(spending.held)
        await self._say(waiting)
        expecting = self._clock.monotonic() < self._attentive_until
        held = waiting.files + waiting.longer_files
        return LOOK_EVERY + held * LOOK_A_FILE if held or expecting else self._until_next_window()

    def _until_next_window(self) -> float:
        assert self._windows is not None
        return max(0.05, min(IDLE_LOOK, self._windows.next_day - self._clock.now()))

    async def _notice_set_back(self) -> None:
        """The ledger keeps waits as moments of the wall clock. One that was hours ahead, as that of a machine which has
        just started may be, and is set back would let files wait for hours; so would one that was set back meanwhile.
        """
        before, self._ahead = self._ahead, self._clock.now() - self._clock.monotonic()
        if before is not None and self._ahead > before - SET_BACK:
            return
        now = self._clock.now()
        latest = now + max(IDLE_LOOK, self._house.settings.retry.longest_wait)
        if files := await self._ledger.do(upkeep.wait_no_longer, now, latest):
            log.warning("clock.set-back", files=files, reason=WAITED_TOO_LONG)
            self._on_due()

    async def _keep_time(self) -> tuple[Limit, ...]:
        """The limits of this moment, and the ledger told where they have changed."""
        now = self._clock.now()
        if self._windows is None or not self._windows.day <= now < self._windows.next_day:
            self._windows = windows(now)
        asked = self._house.settings.limits
        limits = limits_now(asked.hours_per_day, asked.hours_per_month, self._windows)
        if limits != self._limits:
            await self._ledger.do(spending.set_limits, limits)
            self._limits = limits
            self.wake.set()
        return limits

    def _measure(self, one: Unmeasured) -> float | None:
        """In a thread."""
        inbox = self._house.inboxes.get(one.inbox)
        began = self._clock.monotonic()
        if inbox is None or self._slow.get(one.inbox, 0.0) > began:
            return None
        seconds = self._durations.of(inbox.inbox, one.path)
        if self._clock.monotonic() - began >= self._durations.patience:
            self._slow[one.inbox] = began + SLOW_FOR
        return seconds

    async def _settle_unsaid(self) -> None:
        """Batches whose answer did not say what was billed: by the speech in their results, as far as there are any."""
        while (found := await self._ledger.look(spending.unsettled)) is not None:
            batch_id, payments = found
            loop = asyncio.get_running_loop()
            seconds = await loop.run_in_executor(self._threads, _spoken, payments)
            await self._ledger.do(spending.settle_unsaid, batch_id, seconds, self._clock.now())

    async def _say(self, waiting: Held) -> None:
        since = waiting.since if waiting.files else None
        if since is None:
            await self._scopes.works(SCOPE)
        elif self._scopes.opened_by(SCOPE) is not None or self._clock.now() - since >= SAID_AFTER:
            balances = await self._ledger.look(spending.balances)
            scarcest = min(balances, key=lambda balance: balance.left, default=None)
            if scarcest is not None:
                await self._tell(self._reached(scarcest.limit), (scarcest.limit.name, scarcest.limit.seconds))
        if not waiting.longer_files:
            await self._scopes.works(TOO_LONG)
        else:
            amounts = tuple((limit.name, limit.seconds) for limit in self._limits or ())
            await self._tell(_too_long(waiting), amounts)

    async def _tell(self, fault: OutOfOrder, of: object) -> None:
        """Once: that a day ends, or that another file waits, is no news; another limit, or another amount, is."""
        told = self._scopes.opened_by(fault.scope)
        if told is not None and self._told.get(fault.scope) == of:
            if fault.retry_after is not None and told.retry_at <= self._clock.now():
                await self._scopes.report(fault)
            return
        await self._scopes.works(fault.scope)
        self._told[fault.scope] = of
        await self._scopes.report(fault)

    def _reached(self, limit: Limit) -> OutOfOrder:
        key = f"`{KEYS[limit.name]}` ({hours(limit.seconds)})"
        message = f"files wait for a limit: what is left of {key} is too little for them"
        remedy = f"they go on with the next {limit.name}, or when the limit is raised and dropscribe reloaded (SIGHUP)"
        assert self._windows is not None
        end = self._windows.next_day if limit.name == "day" else self._windows.next_month
        return OutOfOrder(SCOPE, "LimitReached", message, remedy, retry_after=max(0.0, end - self._clock.now()))


def _too_long(waiting: Held) -> OutOfOrder:
    """Such a file would wait for ever, so it is said at once."""
    more = f" (and {waiting.longer_files - 1} more)" if waiting.longer_files > 1 else ""
    message = f"a file waits, and no day or month will let it go{more}: {waiting.longer_reason}"
    remedy = "`dropscribe status` names it; raise the limit and reload (SIGHUP), or take the file out of the inbox"
    return OutOfOrder(TOO_LONG, "LongerThanTheLimit", message, remedy)


def _spoken(payments: Sequence[tuple[float, bytes | None]]) -> float:
    """In a thread."""
    total = 0.0
    for reserved, body in payments:
        try:
            spoken = None if body is None else speech_seconds(gzip.decompress(body))
        except (UnusableResult, OSError, EOFError):
            spoken = None
        total += reserved if spoken is None else spoken
    return total
