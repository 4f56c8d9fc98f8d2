"""Ready recognitions to paid tasks: the only act that costs.

pack -> intent, durable -> POST once, on a fresh connection, within the window -> accepted | refused | lost
lost -> (complete task list) -> adopted | never arrived -> new keys, after the old objects are gone
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.disk.sources import look_at
from dropscribe.error_codes import RECIPE
from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused
from dropscribe.house import House
from dropscribe.ledger import batches, intake, uploads
from dropscribe.ledger.rows import BatchRow, ReadyGroup, StaleWrite
from dropscribe.model import API, DOWNLOADS, SUBMITS, Look
from dropscribe.names import display
from dropscribe.packing import Departure, recipe_label, timetable
from dropscribe.refusals import Refusals
from dropscribe.remote.ports import TooLate
from dropscribe.scopes import Blame
from dropscribe.url_limits import UrlLimits

log = structlog.get_logger()

INTEND = Step("submit.intend", "before", "recorded")
POST = Step("submit.post")

SEND_WINDOW = 20.0
"""Seconds (of CLOCK_BOOTTIME) after the intent in which the request may leave: a resumed laptop must not send late."""

LAST_WORD = 5.0
"""Seconds that a submit in flight is given for its answer when the daemon stops."""

AT_ONCE = 8
GATHER = 0.03
"""Seconds in which the news of several uploads become one look at the ledger."""


class Submitter:
    """Packs what is ready and pays for it, exactly once."""

    def __init__(
        self,
        house: House,
        threads: Executor,
        on_task: Callable[[int], None],
        on_lost: Callable[[int], None],
        on_refused: Callable[[], None],
        hurry: Callable[[], bool],
        blame: Blame,
    ) -> None:
        """`on_task`/`on_lost` get the id of a batch; `on_refused`: a file is owed its error, or its object has to go;
        `hurry` says that nobody else will come (`run --once`); `blame` tells a dead API from a refused submit.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._threads = threads
        self._on_task = on_task
        self._on_lost = on_lost
        self._hurry = hurry
        self._blame = blame
        self.limits = UrlLimits(house)
        self._on_refused = on_refused
        self._refusals = Refusals(house, self.limits, on_refused, blame)
        self._sending: set[asyncio.Task[None]] = set()
        self.withheld: set[int] = set()
        """Recognitions that the start gate still asks about."""
        self.wake = Wake()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def run(self) -> None:
        """Submit until cancelled."""
        await self.limits.remember()
        while True:
            pause = await self._depart()
            due = None if pause is None else self._clock.monotonic() + pause
            if await wait_for_event(self.wake, self._clock, pause):  # what is due by the clock leaves at once
                rest = GATHER if due is None else min(GATHER, due - self._clock.monotonic())
                await self._clock.sleep(max(0.0, rest))

    async def stop(self) -> None:
        """Let a submit in flight have its answer for up to five seconds; one without stays an open intent."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=LAST_WORD)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _depart(self) -> float | None:
        """Send what is due; return the seconds until something else will be."""
        now = self._clock.now()
        groups = await self._ledger.look(batches.ready_groups, now)
        hurry = self._hurry() and not await self._ledger.look(uploads.any_underway)
        plan = timetable(groups, self.limits.of, now, self._settings.batch.max_wait, hurry)
        shut = 0.0
        for departure in plan.now:
            names = self._needs(departure.group)
            if not self._scopes.may_pass(*names):
                shut = max(shut, self._scopes.wait(*names), 0.2)
                continue
            await self._free_place()
            await self._withdraw_vanished(departure)
            await self._send_one(departure)
        retry_at = await self._ledger.look(uploads.next_wait, now, ["uploaded"])
        now = self._clock.now()  # sources on a slow disk were looked at, and submits waited for
        waits = [at - now for at in (plan.next_at, retry_at) if at is not None]
        if shut:
            waits.append(shut)
        return max(0.05, min(waits)) if waits else None

    @staticmethod
    def _needs(group: ReadyGroup) -> tuple[str, ...]:
        """The scopes that have to be in order for a batch of this group."""
        label = recipe_label(group.model, group.settings)
        return (API, SUBMITS, DOWNLOADS, f"model:{group.model}", f"recipe:{label}", f"files:{label}")

    async def _free_place(self) -> None:
        one_by_one = bool(self.limits.trials)
        while len(self._sending) >= (1 if one_by_one else AT_ONCE):
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)

    async def _withdraw_vanished(self, departure: Departure) -> None:
        """A last look at the sources: one that vanished before its submit is not paid for."""
        args = (departure.group, departure.limit, self._clock.now())
        sources = await self._ledger.look(batches.sources_of_ready, *args)
        vanished = await asyncio.get_running_loop().run_in_executor(self._threads, self._vanished, sources)
        for media_id, inbox, path in vanished:
            reason = "it vanished, or other content took its place, before it was submitted"
            await self._ledger.do(intake.withdraw, media_id, reason, self._clock.now())
            log.info("source.withdrawn", inbox=inbox, path=display(path), reason=reason)
        if vanished:
            self._on_refused()

    def _vanished(self, sources: Sequence[tuple[int, str, bytes, Look]]) -> list[tuple[int, str, bytes]]:
        found = []
        for media_id, name, path, look in sources:
            inbox = self._house.inboxes.get(name)
            # A missing or unmounted inbox is an alarm elsewhere, and no reason to waste an upload.
            with contextlib.suppress(OSError, OutOfOrder):
                if inbox is not None and look_at(inbox.inbox, path) != look:
                    self._house.guard(inbox.inbox).check()
                    found.append((media_id, name, path))
        return found

    async def _send_one(self, departure: Departure) -> None:
        written_at = self._clock.boottime()  # before the transaction: a frozen commit counts against the window
        INTEND.before()
        try:
            row = await self._ledger.do(
                batches.intend,
                departure.group,
                min(departure.limit, self.limits.of(departure.group)),
                self._house.recogniser.identity,
                self._ledger.epoch,
                self._clock.now(),
                self._house.recogniser.server_time,
                frozenset(self.withheld),
            )
        except StaleWrite:
            row = None
        if row is None:
            self._scopes.release(*self._needs(departure.group))
            return
        INTEND.recorded()
        task = asyncio.create_task(self._send(row, departure.group, written_at))
        self._sending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._sending.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("submit.bug", exc_info=error)

    async def _send(self, row: BatchRow, group: ReadyGroup, written_at: float) -> None:
        asked = False

        def may_send() -> bool:
            nonlocal asked
            asked = True
            POST.before()
            return self._clock.boottime() - written_at <= SEND_WINDOW

        try:
            urls = await asyncio.get_running_loop().run_in_executor(self._threads, self._sign, row)
            parameters = request_parameters(json.loads(row.settings))
            accepted = await self._house.recogniser.submit(row.model, urls, parameters, may_send)
        except TooLate:
            reason = "the moment to send had passed when the connection stood; it is sent as a new batch"
            await self._not_sent(row, reason)
            log.warning("batch.not-sent", batch=row.id, files=len(row.items), reason=reason)
            self._scopes.release(*self._needs(group))
        except RequestRefused as refusal:
            await self._refusals.settle(row, refusal)
            self._scopes.release(*self._needs(group))
        except OutOfOrder as fault:
            await self._not_sent(row, self._house.clean(str(fault)))
            await self._out_of_order(group, fault)
        except Ambiguous as doubt:
            POST.effect()
            await self._lost(row, str(doubt))
        except asyncio.CancelledError:
            raise  # the intent stays open: the next start settles it
        except Exception as bug:
            if asked:
                await self._lost(row, f"unexpected {type(bug).__name__}")
            else:
                await self._not_sent(row, f"unexpected {type(bug).__name__}", self._settings.retry.longest_wait)
                self._scopes.release(*self._needs(group))
            raise
        else:
            POST.effect()
            await self._accepted(row, accepted.task_id, accepted.request_id)

    async def _accepted(self, row: BatchRow, task_id: str, request_id: str | None) -> None:
        await self._ledger.do(batches.accepted, row.id, task_id, request_id, self._clock.now())
        POST.recorded()
        log.info("batch.submitted", batch=row.id, task_id=task_id, files=len(row.items), model=row.model)
        label = recipe_label(row.model, row.settings)
        for name in (API, SUBMITS, f"model:{row.model}", f"recipe:{label}"):
            await self._scopes.works(name)
        await self._refusals.accepted(row)
        self._on_task(row.id)

    async def _lost(self, row: BatchRow, reason: str) -> None:
        await self._ledger.do(batches.lost, row.id, reason)
        log.warning("batch.answer-lost", batch=row.id, files=len(row.items), reason=reason)
        self._on_lost(row.id)

    def _sign(self, row: BatchRow) -> list[str]:
        """Credentials of a role may have to be fetched for it; in a thread."""
        lifetime = self._settings.storage.url_lifetime
        return [self._house.store.signed_url(item.key, lifetime) for item in row.items]

    async def _not_sent(self, row: BatchRow, reason: str, wait: float = 0.0) -> None:
        now = self._clock.now()
        await self._ledger.do(batches.not_accepted, row.id, reason, now, now + wait)

    async def _out_of_order(self, group: ReadyGroup, fault: OutOfOrder) -> None:
        """Definitely not taken, for a reason that is no file's."""
        if fault.scope == RECIPE:
            fault = replace(fault, scope=f"recipe:{recipe_label(group.model, group.settings)}")
        fault = await self._blame(fault, SUBMITS)
        await self._scopes.report(fault)
        self._scopes.release(*(name for name in self._needs(group) if name != fault.scope))


def request_parameters(settings: Mapping[str, object]) -> dict[str, object]:
    """The `parameters` of a submit; `special_word_filter` travels as a JSON string (model-studio: type string)."""
    sent = dict(settings)
    words = sent.get("special_word_filter")
    if words is not None and not isinstance(words, str):
        sent["special_word_filter"] = json.dumps(words, ensure_ascii=False)
    return sent
