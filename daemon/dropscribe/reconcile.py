"""Lost submits and forgotten tasks, settled through the task list: the acting half of `lost`.

at start:  list the last 24 hours -> adopt tasks of ours that the ledger does not know -> the gate opens
then:      each lost batch -> complete list -> every candidate asked -> adopted | never arrived | expired | ask again
"""

from collections.abc import Callable, Sequence

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder, TryLater
from dropscribe.house import House
from dropscribe.ledger import batches
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import Settled, age, candidates, of_another_account, same_model, settle
from dropscribe.model import Failure, ListedTask, TaskReport
from dropscribe.remote.policy import poll_wait
from dropscribe.verdicts import is_terminal, keys_under

log = structlog.get_logger()

SETTLE = Step("submit.settle", "before", "recorded")
ADOPT = Step("submit.adopt", "before", "recorded")


class Reconciler:
    """Asks the task list what became of the submits nobody heard of."""

    def __init__(
        self,
        house: House,
        on_task: Callable[[int], None],
        on_needed: Callable[[], None],
    ) -> None:
        """`on_task` gets the id of a batch that has a task; `on_needed` is called when objects are needed anew."""
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._on_task = on_task
        self._on_needed = on_needed
        self._foreign: set[str] = set()
        self._invisible: dict[str, float] = {}
        self.wake = Wake()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def open_gate(self, withhold: Callable[[set[int]], None]) -> None:
        """Return when the task list was read once. What a forgotten task could be about is withheld until it is known.

        `withhold` is called with the recognitions that must not be submitted yet.
        """
        for row in await self._ledger.look(batches.open_batches, "lost"):
            if not self._is_mine(row):
                await self._scopes.report(of_another_account(row))
        ready = await self._ledger.look(batches.ready_since_before)
        listed = await self._list()
        unknown = await self._unknown(listed) if ready else []
        oldest = min((since for _, _, since in ready), default=0.0)
        asked = [task for task in unknown if task.created is None or task.created >= oldest - 600]
        open_tasks = await self._adopt_ours(asked)
        withhold({recognition_id for recognition_id, _, _ in ready} if open_tasks else set())
        if open_tasks:
            await self._scopes.report(_gate_fault(len(open_tasks), len(ready)))
        self._gate_rest = open_tasks
        self._withhold = withhold

    async def run(self) -> None:
        """Settle until cancelled."""
        pause = 0.0
        poll = self._settings.model_studio.poll
        while True:
            lost = await self._ledger.look(batches.open_batches, "lost")
            mine = [row for row in lost if self._is_mine(row)]
            if mine:
                await self._settle_all(mine)
            if self._gate_rest:
                self._gate_rest = await self._adopt_ours(self._gate_rest)
                if not self._gate_rest:
                    self._withhold(set())
                    await self._scopes.works("start")
            busy = bool(mine or self._gate_rest)
            pause = poll_wait(pause, poll.first, poll.longest) if busy else 0.0
            await wait_for_event(self.wake, self._clock, pause if busy else None)

    def _is_mine(self, row: BatchRow) -> bool:
        who = self._house.recogniser.identity
        return (row.endpoint, row.account) == (who.endpoint, who.account)

    async def _settle_all(self, lost: Sequence[BatchRow]) -> None:
        ages = {row.id: self._age(row) for row in lost}  # at the latest when the reading begins
        listed = await self._list()
        known = await self._ledger.look(batches.known_tasks, [task.task_id for task in listed])
        for row in lost:
            asked = [task for task in candidates(row, listed, known) if task.task_id not in self._foreign]
            reports = [await self._ask(task) for task in asked]
            grace = self._settings.model_studio.lost_submit_grace
            await self._record(row, settle(row, reports, ages[row.id], grace))

    def _age(self, row: BatchRow) -> float:
        return age(row, self._house.recogniser.server_time, self._clock.now())

    async def _record(self, row: BatchRow, found: Settled) -> None:
        if found.outcome == "open":
            return
        now = self._clock.now()
        SETTLE.before()
        if found.outcome == "adopted":
            await self._ledger.do(batches.accepted, row.id, found.task_ids[0], None, now)
            if len(found.task_ids) > 1:
                await self._ledger.do(batches.paid_twice, row.id, found.task_ids[1:])
                log.error("batch.paid-twice", batch=row.id, task_ids=found.task_ids)
            self._on_task(row.id)
        elif found.outcome == "absent":
            reason = "a complete task list shows no task for it: the submit never arrived"
            await self._ledger.do(batches.never_arrived, row.id, reason, now)
            self._on_needed()
        else:
            await self._ledger.do(batches.dropped, row.id, _expired(row), now)
            self._on_needed()
        SETTLE.recorded()
        log.info("batch.settled", batch=row.id, outcome=found.outcome, files=len(row.items))

    async def _adopt_ours(self, tasks: Sequence[ListedTask]) -> list[ListedTask]:
        """Adopt the ended ones that are ours; return those that have not ended."""
        prefix = f"{self._settings.storage.prefix}{self._ledger.id}/"
        still_open = []
        for task in tasks:
            report = await self._ask(task)
            if not is_terminal(report) and not self._is_invisible(task, report):
                still_open.append(task)
            elif keys := keys_under(report, prefix):
                await self._adopt(task.task_id, keys)
            else:
                self._foreign.add(task.task_id)
        return still_open

    def _is_invisible(self, task: ListedTask, report: TaskReport) -> bool:
        """A task that the list shows and the query does not know, for the whole grace: another key's, not ours."""
        if report.status != "UNKNOWN":
            return False
        since = self._invisible.setdefault(task.task_id, self._clock.monotonic())
        return self._clock.monotonic() - since >= self._settings.model_studio.lost_submit_grace

    async def _adopt(self, task_id: str, keys: Sequence[str]) -> None:
        ADOPT.before()
        who, now = self._house.recogniser.identity, self._clock.now()
        batch_id = await self._ledger.do(batches.adopt_unknown, keys, who, task_id, self._ledger.epoch, now)
        ADOPT.recorded()
        log.warning("task.found", task_id=task_id, files=len(keys), adopted=batch_id is not None)
        if batch_id is not None:
            self._on_task(batch_id)

    async def _unknown(self, listed: Sequence[ListedTask]) -> list[ListedTask]:
        known = await self._ledger.look(batches.known_tasks, [task.task_id for task in listed])
        models = {inbox.model for inbox in self._settings.inboxes}
        return [
            task
            for task in listed
            if task.task_id not in known and any(same_model(task.model, model) for model in models)
        ]

    async def _list(self) -> Sequence[ListedTask]:
        """The complete list; an unreadable one means waiting, and saying so."""
        while True:
            await self._scopes.passage("tasks")
            try:
                listed = await self._house.recogniser.list_tasks(None)
            except OutOfOrder as fault:
                await self._scopes.report(_list_fault(fault))
            else:
                await self._scopes.works("tasks")
                return listed

    async def _ask(self, task: ListedTask) -> TaskReport:
        while True:
            await self._scopes.passage("tasks")
            try:
                report = await self._house.recogniser.query(task.task_id)
            except (OutOfOrder, TryLater) as fault:
                await self._scopes.report(_list_fault(fault))
            else:
                await self._scopes.works("tasks")
                return report


def _list_fault(fault: OutOfOrder | TryLater) -> OutOfOrder:
    remedy = getattr(fault, "remedy", "")
    wait = f"submits wait until the task list can be read{'; ' + remedy if remedy else ''}"
    quiet = isinstance(fault, OutOfOrder) and fault.quiet
    return OutOfOrder("tasks", fault.code, fault.message, wait, fault.retry_after, quiet, fault.request_id)


def _gate_fault(tasks: int, files: int) -> OutOfOrder:
    message = f"{files} files wait: {tasks} tasks of the account, unknown to this ledger, run and could be theirs"
    return OutOfOrder("start", "UnknownTasks", message, "nothing to do: they are submitted when those tasks have ended")


def _expired(row: BatchRow) -> Failure:
    message = "the answer to its submit was lost, and the task list does not reach back to it"
    return Failure("SubmitExpired", message, "look at the bill, then `dropscribe retry`", attempts=len(row.items))
