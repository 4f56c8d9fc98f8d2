"""When each open task is asked what became of it: within the rate, soonest-expiring first.

query -> unknown? -> believed only of this key's own, for long enough, and where no list shows it
      -> ended? -> `collect` brings it home
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from dropscribe.alone import Alone
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder, TryLater
from dropscribe.house import House
from dropscribe.ledger import batches
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import OLDEST, OUT_OF_REACH, age
from dropscribe.model import API, QUERIES, RESULTS, Failure, TaskReport
from dropscribe.remote.policy import poll_wait
from dropscribe.scopes import Blame
from dropscribe.second_thoughts import OpenTask
from dropscribe.strangers import Strangers
from dropscribe.verdicts import is_terminal

log = structlog.get_logger()

AT_ONCE = 8
HURRY_AFTER = 18 * 3600.0
"""Seconds after the submit from which on a task is asked before all younger ones: its result may be about to vanish."""
HIDDEN_EVERY = 600.0
"""Seconds between two looks at a task that another key submitted."""
STEADY_LOOKS = 3


@dataclass
class Polled:
    """An open task and when (monotonic) it is asked next."""

    task: OpenTask
    due: float
    wait: float = 0.0
    mine: bool = True
    """Whether this very key submitted it, so that its "unknown" can be believed."""
    hidden: bool = False
    """Another key's, and not visible to this one."""
    unknown_since: float | None = None
    unknown_looks: int = 0
    asking: bool = False

    @property
    def row(self) -> BatchRow:
        """Its batch as it stands now."""
        return self.task.row


class Poller:
    """Asks for every open task until it is settled."""

    def __init__(
        self,
        house: House,
        bring_home: Callable[[OpenTask, TaskReport], Awaitable[bool]],
        on_dropped: Callable[[], None],
        strangers: Strangers,
        blame: Blame,
    ) -> None:
        """`bring_home` gets the report on an ended task and says whether all of it is judged; `on_dropped`: files are
        to be sent again, or are owed their error; `blame` tells a dead API from a query that fails.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._bring_home = bring_home
        self._on_dropped = on_dropped
        self._strangers = strangers
        self._blame = blame
        self._alone = {QUERIES: Alone(), RESULTS: Alone()}
        self._open: dict[int, Polled] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._wanted: set[int] = set()
        self.wake = Wake()

    def follow(self, batch_id: int) -> None:
        """A batch has a task: poll it."""
        self._wanted.add(batch_id)
        self.wake.set()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def run(self) -> None:
        """Poll until cancelled; begins with what an earlier process left running."""
        for row in await self._ledger.look(batches.open_batches, "submitted"):
            await self._adopt(row, first=0.0)
        while True:
            await self._take_in_wanted()
            self._ask_due()
            await wait_for_event(self.wake, self._clock, self._until_next())

    async def stop(self) -> None:
        """Give up what is in flight: tasks go on in the cloud and are asked again after the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _take_in_wanted(self) -> None:
        while self._wanted:
            batch_id = next(iter(self._wanted))
            row = await self._ledger.look(batches.batch_row, batch_id)
            if row is not None and row.state == "submitted" and batch_id not in self._open:
                await self._adopt(row, self._settings.model_studio.poll.first)
            self._wanted.discard(batch_id)

    async def _adopt(self, row: BatchRow, first: float) -> None:
        """Follow a task. One that another key submitted is asked for, too: it may be of the same account."""
        who = self._house.recogniser.identity
        mine = (row.endpoint, row.account) == (who.endpoint, who.account)
        self._open[row.id] = Polled(OpenTask(row), self._clock.monotonic() + first, first, mine)

    def _ask_due(self) -> None:
        now = self._clock.monotonic()
        due = [polled for polled in self._open.values() if polled.due <= now and not polled.asking]
        due.sort(key=lambda polled: self._urgency(polled, self._clock.now()))
        for polled in due[: AT_ONCE - len(self._running)]:
            if not self._scopes.may_pass(API, QUERIES):
                break
            polled.asking = True
            task = asyncio.create_task(self._ask(polled))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _urgency(self, polled: Polled, now: float) -> tuple[int, float]:
        submitted = polled.row.submitted_at or polled.row.intended_at
        if now - submitted > HURRY_AFTER:
            return 0, submitted
        return 1, polled.due

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("poll.bug", exc_info=error)

    def _until_next(self) -> float | None:
        waits = [polled.due for polled in self._open.values() if not polled.asking]
        if not waits:
            return None
        pause = max(min(waits) - self._clock.monotonic(), self._scopes.wait(API, QUERIES))
        full = len(self._running) >= AT_ONCE
        return max(0.01, pause) if not full else None

    async def _ask(self, polled: Polled) -> None:
        try:
            report = await self._house.recogniser.query(polled.row.task_id or "")
            self._alone[QUERIES].worked(polled.row.id)
            for scope in (API, QUERIES):
                await self._scopes.works(scope)
            if await self._consider(polled, report):
                self._alone[RESULTS].worked(polled.row.id)
        except OutOfOrder as fault:
            await self._out_of_order(polled, await self._blame(fault, QUERIES))
        except TryLater as fault:  # one result's own trouble: the task is asked again, and no other waits for it
            self._say_again(polled, fault)
        finally:
            self._scopes.release(QUERIES)
            polled.asking = False
            self._later(polled)

    async def _out_of_order(self, polled: Polled, fault: OutOfOrder) -> None:
        """Where others came through since this task failed last, the trouble is its own, and shuts nothing."""
        alone = self._alone.get(fault.scope)
        if alone is None or fault.quiet:
            await self._scopes.report(fault)
            return
        known = alone.is_known(polled.row.id)
        if not alone.failed(polled.row.id) and not known:
            await self._scopes.report(fault)
            return
        self._scopes.release(fault.scope)
        self._say_again(polled, fault)
        if fault.scope == QUERIES and self._age(polled.row) > OUT_OF_REACH:
            await self._drop(polled)

    def _say_again(self, polled: Polled, fault: OutOfOrder | TryLater) -> None:
        log.warning("result.again", batch=polled.row.id, code=fault.code, message=self._house.clean(fault.message))

    def _later(self, polled: Polled) -> None:
        """Grow the wait; with thousands of tasks stretch it, so that all get their turn within the rate."""
        poll = self._settings.model_studio.poll
        polled.wait = HIDDEN_EVERY if polled.hidden else poll_wait(polled.wait, poll.first, poll.longest)
        fair = len(self._open) / self._settings.model_studio.query_rate
        polled.due = self._clock.monotonic() + max(polled.wait, fair)

    async def _consider(self, polled: Polled, report: TaskReport) -> bool:
        """Whether the task is settled."""
        if report.status == "UNKNOWN":
            await (self._unknown(polled) if polled.mine else self._of_another(polled))
            return False
        polled.unknown_since, polled.unknown_looks, polled.hidden = None, 0, False
        await self._strangers.seen(polled.row.id)
        if not is_terminal(report) or not await self._bring_home(polled.task, _cleaned(report, self._house.clean)):
            return False
        self._open.pop(polled.row.id, None)
        return True

    async def _of_another(self, polled: Polled) -> None:
        polled.hidden = True
        if self._age(polled.row) <= OLDEST or not await self._end_unwanted(polled):
            await self._strangers.hidden(polled.row)

    async def _end_unwanted(self, polled: Polled) -> bool:
        """Whether people gave up all of a task that another key submitted: what became of it needs no waiting for."""
        row = polled.row
        if not await self._ledger.do(batches.dropped_unwanted, row.id, _dropped(row), self._clock.now()):
            return False
        log.info("task.given-up", batch=row.id, task_id=row.task_id, files=len(row.items))
        self._open.pop(row.id, None)
        await self._strangers.seen(row.id)
        self._on_dropped()
        return True

    async def _unknown(self, polled: Polled) -> None:
        """Dropped only when consistently unknown, to the identity that submitted, and not in a readable list."""
        now = self._clock.monotonic()
        polled.unknown_looks += 1
        if polled.unknown_since is None:
            polled.unknown_since = now
            log.warning("task.unknown", batch=polled.row.id, task_id=polled.row.task_id)
        if polled.unknown_looks < STEADY_LOOKS:
            return
        old = self._age(polled.row) > OLDEST
        steady = now - polled.unknown_since >= self._settings.model_studio.lost_submit_grace
        if old or (steady and not await self._is_listed(polled.row)):
            await self._drop(polled)

    async def _drop(self, polled: Polled) -> None:
        await self._ledger.do(batches.dropped, polled.row.id, _dropped(polled.row), self._clock.now())
        log.warning("task.dropped", batch=polled.row.id, task_id=polled.row.task_id, files=len(polled.row.items))
        self._open.pop(polled.row.id, None)
        self._on_dropped()

    def _age(self, row: BatchRow) -> float:
        return age(row, self._house.recogniser.server_time, self._clock.now())

    async def _is_listed(self, row: BatchRow) -> bool:
        return any(task.task_id == row.task_id for task in await self._house.recogniser.list_tasks(None))


def _cleaned(report: TaskReport, clean: Callable[[str], str]) -> TaskReport:
    """A service may repeat what it was told, secrets too."""
    results = report.results and tuple(
        replace(result, message=result.message and clean(result.message)) for result in report.results
    )
    return replace(report, results=results, message=report.message and clean(report.message))


def _dropped(row: BatchRow) -> Failure:
    message = "the service does not know the task any more"
    return Failure("TaskDropped", message, "look at the bill, then `dropscribe retry`", task_id=row.task_id)
