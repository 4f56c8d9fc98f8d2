"""Lost submits and forgotten tasks, settled through the task list: the acting half of `lost`.

at start:  list the last 24 hours -> adopt tasks of ours that the ledger does not know -> the gate opens
then:      each lost batch -> complete list -> every candidate asked -> adopted | expired | ask again
                           -> none after the grace: its objects go -> complete list, none still -> never arrived
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.inquiry import Inquiry
from dropscribe.ledger import batches, tasklist
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import (
    LATER,
    OLDEST,
    Look,
    Settled,
    age,
    candidates,
    is_telling,
    recognised_any,
    same_model,
    settle,
    shows_absence,
)
from dropscribe.model import API, TASKS, Failure, ListedTask
from dropscribe.remote.policy import poll_wait
from dropscribe.scopes import Blame
from dropscribe.strangers import Strangers
from dropscribe.verdicts import is_terminal, keys_under

log = structlog.get_logger()

SETTLE = Step("submit.settle", "before", "recorded")
ADOPT = Step("submit.adopt", "before", "recorded")

TOGETHER = 300.0
"""Seconds of submits that are looked back at in one reading of the list."""
STRANGERS_EVERY = 600.0
"""Seconds between two looks for submits that another key made."""
IN_DOUBT = "dropscribe ended before the answer to its submit was there; the task list decides what became of it"
ASKING = "the task list shows tasks that this ledger does not know: before anything is sent each is asked whose it is"
PAID_TWICE = "compare with the bill; `dropscribe status` names the tasks"


@dataclass(frozen=True)
class LookBack:
    """A batch whose fate is known, and when (monotonic) the list is read once more: a second task may have its keys."""

    batch_id: int
    look_at: float


class Reconciler:
    """Asks the task list what became of the submits nobody heard of."""

    def __init__(
        self,
        house: House,
        on_task: Callable[[int], None],
        on_needed: Callable[[], None],
        strangers: Strangers,
        blame: Blame,
    ) -> None:
        """`on_task` gets the id of a batch that has a task; `on_needed` is called when objects are needed anew, or
        files are owed their error; `blame` tells a dead API from a query that fails.
        """
        self._house = house
        self._ledger, self._scopes, self._clock = house.ledger, house.scopes, house.clock
        self._on_task = on_task
        self._on_needed = on_needed
        self._strangers = strangers
        self.wake = Wake()
        self._inquiry = Inquiry(house, blame, self.wake.moved)
        self._shown_absent: set[int] = set()
        """Lost batches of which a list has shown for good that they never arrived, and whose objects do not go."""
        self._told_late: set[str] = set()
        self._look_back: list[LookBack] = []
        self._strangers_at = 0.0
        self._waits_for_deletes = False
        self.gate_is_open = False
        """Whether submits may leave, at least of what came since the start."""

    def objects_gone(self) -> None:
        """Objects were deleted: where one of a lost submit was awaited, the list is read again at once."""
        if self._waits_for_deletes:
            self._waits_for_deletes = False
            self.wake.set()

    @property
    def _settings(self) -> Settings:
        return self._house.settings

    async def open_gate(self, withhold: Callable[[set[int]], None]) -> None:
        """Return when the task list was read once. What a forgotten task could be about is withheld until it is known.

        `withhold` is called with the recognitions that must not be submitted yet.
        """
        for row in await self._ledger.look(batches.open_batches, "lost"):
            if self._is_mine(row):
                log.warning("batch.in-doubt", batch=row.id, files=len(row.items), reason=IN_DOUBT)
            else:
                await self._strangers.hidden(row)
        for batch_id in await self._ledger.look(tasklist.paid_since, self._clock.now() - OLDEST):
            self.look_back_later(batch_id)
        ready = await self._ledger.look(tasklist.ready_since_before)
        listed = await self._list()
        unknown = await self._unknown(listed) if ready else []
        oldest = min((since for _, _, since in ready), default=0.0)
        asked = [task for task in unknown if task.created is None or task.created >= oldest - 600]
        if asked:
            log.info("start.asking", tasks=len(asked), files=len(ready), reason=ASKING)
        open_tasks = await self._adopt_ours(asked)
        withhold({recognition_id for recognition_id, _, _ in ready} if open_tasks else set())
        if open_tasks:
            await self._scopes.report(_gate_fault(len(open_tasks), len(ready)))
        self._gate_rest = open_tasks
        self._withhold = withhold
        self.gate_is_open = True

    async def run(self) -> None:
        """Settle until cancelled."""
        pause = 0.0
        poll = self._settings.model_studio.poll
        while True:
            lost = await self._ledger.look(batches.open_batches, "lost")
            mine = [row for row in lost if self._is_mine(row)]
            late = await self._due_to_look_back()
            if mine or late or (lost and self._strangers_at <= self._clock.monotonic()):
                await self._settle_all(lost, late)
            if self._gate_rest:
                self._gate_rest = await self._adopt_ours(self._gate_rest)
                if not self._gate_rest:
                    self._withhold(set())
                    await self._scopes.works("start")
            busy = bool(mine or self._gate_rest)
            pause = poll_wait(pause, poll.first, poll.longest) if busy else 0.0
            await wait_for_event(self.wake, self._clock, pause if busy else self._rest(bool(lost)))

    async def _due_to_look_back(self) -> list[BatchRow]:
        """Batches whose fate has been known for a while: another task may have come all the same."""
        now = self._clock.monotonic()
        due = [one.batch_id for one in self._look_back if one.look_at <= now]
        self._look_back = [one for one in self._look_back if one.look_at > now]
        rows = [await self._ledger.look(batches.batch_row, batch_id) for batch_id in due]
        return [row for row in rows if row is not None]

    def look_back_later(self, batch_id: int) -> None:
        """Read the list once more for a batch, together with the others of these minutes."""
        moment = self._clock.monotonic() + LATER
        self._look_back.append(LookBack(batch_id, moment - moment % TOGETHER + TOGETHER))
        self.wake.set()

    def _rest(self, strangers: bool) -> float | None:
        """Seconds until there is something to look for; None: until something is lost."""
        times = [*(one.look_at for one in self._look_back), *([self._strangers_at] if strangers else [])]
        return max(0.05, min(times) - self._clock.monotonic()) if times else None

    @property
    def _prefix(self) -> str:
        """What all object keys of this ledger begin with."""
        return f"{self._settings.storage.prefix}{self._ledger.id}/"

    def _is_mine(self, row: BatchRow) -> bool:
        who = self._house.recogniser.identity
        return (row.endpoint, row.account) == (who.endpoint, who.account)

    async def _settle_all(self, lost: Sequence[BatchRow], late: Sequence[BatchRow]) -> None:
        """Under another key only a find is believed: what it does not show may be there all the same."""
        self._strangers_at = self._clock.monotonic() + STRANGERS_EVERY
        ages = {row.id: self._age(row) for row in lost}  # at the latest when the reading begins
        doomed = await self._ledger.look(batches.with_objects, list(ages))  # and so is this
        listed = await self._list()
        known = await self._ledger.look(tasklist.known_tasks, [task.task_id for task in listed])
        grace = self._settings.model_studio.lost_submit_grace
        self._inquiry.forget_all_but({task.task_id for task in listed})
        listed = [task for task in listed if task.task_id not in known]  # few, where the list may be long
        found = set[str]()
        for row in lost:
            looks = [await self._inquiry.look(task) for task in candidates(row, listed, found)]
            age_then, shown = ages[row.id], row.id in self._shown_absent
            settled = settle(row, looks, age_then, grace, doomed.get(row.id, True), shown)
            if settled.outcome != "adopted" and not self._is_mine(row):
                if settled.outcome == "expired":
                    await self._end_unwanted(row)
                continue
            self._note_absence(row, settled, age_then)
            if settled.outcome == "absent" and row.id in doomed and age_then <= OLDEST:
                await self._take_objects(row)
            else:
                await self._record(row, settled)
                found.update(settled.task_ids)
        for row in late:
            looks = [await self._inquiry.look(task) for task in candidates(row, listed, found)]
            if not all(is_over(look) for look in looks) and self._age(row) < OLDEST:
                self.look_back_later(row.id)
        await self._note_late([task_id for task_id in self._inquiry.final if task_id not in known | found])

    async def _note_late(self, task_ids: Sequence[str]) -> None:
        """Tasks of ours beside those that the ledger knows (late ones, doubled ones) are told, and never adopted.

        One that names keys of a batch in doubt may be that of a submit whose answer is still awaited.
        """
        for task_id in task_ids:
            report = self._inquiry.final[task_id]
            keys = keys_under(report, self._prefix)
            if not keys or task_id in self._told_late:
                continue
            paid = recognised_any(report)
            batch_id = await self._ledger.do(tasklist.came_late, keys, task_id, paid)
            if batch_id is None:
                continue
            self._told_late.add(task_id)
            if paid:
                log.error("batch.paid-twice", batch=batch_id, task_ids=[task_id], remedy=PAID_TWICE)
            else:
                log.warning("task.late", batch=batch_id, task_id=task_id)

    def _age(self, row: BatchRow) -> float:
        return age(row, self._house.recogniser.server_time, self._clock.now())

    def _note_absence(self, row: BatchRow, settled: Settled, age_at_list: float) -> None:
        """Objects that cannot be deleted hold the verdict up. When the lists do not reach back to the submit any more,
        what they showed counts: nothing was billed, so no re-buy is used up.

        That is as safe as any "never arrived": the next attempt has new keys, and is not even uploaded before the old
        objects are gone (`uploads.claim`). A request that floats in after all that can be paid only while they stand;
        using up the re-buy would not prevent it. Only this process knows: after a restart the list is read anew, and
        where that is too late nobody has looked to the end, and it counts as dropped.
        """
        if shows_absence(settled, age_at_list, self._settings.model_studio.lost_submit_grace):
            self._shown_absent.add(row.id)
        elif settled.outcome == "open":
            self._shown_absent.discard(row.id)

    async def _take_objects(self, row: BatchRow) -> None:
        """The list shows no task, but one could surface until the objects are gone (deletes may be refused for hours),
        and would be paid. So they go first; a list that is read after that decides.
        """
        await self._ledger.do(batches.take_objects, row.id)
        self._waits_for_deletes = True
        self._on_needed()

    async def _record(self, row: BatchRow, found: Settled) -> None:
        if found.outcome == "open":
            return
        now = self._clock.now()
        SETTLE.before()
        if found.outcome == "adopted":
            await self._ledger.do(batches.accepted, row.id, found.task_ids[0], None, now)
            if len(found.task_ids) > 1:
                await self._ledger.do(tasklist.paid_twice, row.id, found.task_ids[1:])
                log.error("batch.paid-twice", batch=row.id, task_ids=found.task_ids, remedy=PAID_TWICE)
            await self._strangers.seen(row.id)
            self._on_task(row.id)
        elif found.outcome == "absent":
            reason = "a complete task list shows no task for it: the submit never arrived"
            await self._ledger.do(batches.never_arrived, row.id, reason, now)
            self.look_back_later(row.id)
            self._on_needed()
        else:
            await self._ledger.do(batches.dropped, row.id, _expired(row), now)
            self._on_needed()
        SETTLE.recorded()
        log.info("batch.settled", batch=row.id, outcome=found.outcome, files=len(row.items))

    async def _end_unwanted(self, row: BatchRow) -> None:
        """Where people gave up all of what another key sent, what became of it needs no waiting for."""
        if await self._ledger.do(batches.dropped_unwanted, row.id, _expired(row), self._clock.now()):
            log.info("batch.given-up", batch=row.id, files=len(row.items))
            await self._strangers.seen(row.id)
            self._on_needed()

    async def _adopt_ours(self, tasks: Sequence[ListedTask]) -> list[ListedTask]:
        """Adopt the ended ones that are ours; return those of which it cannot be told yet."""
        still_open = []
        for task in tasks:
            look = await self._inquiry.look(task)
            if not is_over(look):
                still_open += [task] if self._is_listed_still(task) else []
            elif look.report is not None and (keys := keys_under(look.report, self._prefix)):
                await self._adopt(task.task_id, keys)
        return still_open

    def _is_listed_still(self, task: ListedTask) -> bool:
        """The list reaches back a day; what it does not show any more is nobody's to wait for."""
        now = self._house.recogniser.server_time or self._clock.now()
        return task.created is None or now - task.created <= OLDEST

    async def _adopt(self, task_id: str, keys: Sequence[str]) -> None:
        ADOPT.before()
        who, now = self._house.recogniser.identity, self._clock.now()
        batch_id = await self._ledger.do(tasklist.adopt_unknown, keys, who, task_id, self._ledger.epoch, now)
        ADOPT.recorded()
        log.warning("task.found", task_id=task_id, files=len(keys), adopted=batch_id is not None)
        if batch_id is not None:
            self._on_task(batch_id)
        else:
            await self._note_late([task_id])

    async def _unknown(self, listed: Sequence[ListedTask]) -> list[ListedTask]:
        known = await self._ledger.look(tasklist.known_tasks, [task.task_id for task in listed])
        models = {inbox.model for inbox in self._settings.inboxes}
        return [
            task
            for task in listed
            if task.task_id not in known and any(same_model(task.model, model) for model in models)
        ]

    async def _list(self) -> Sequence[ListedTask]:
        """The complete list; an unreadable one means waiting, and saying so."""
        while True:
            await self._scopes.passage(API, TASKS)
            try:
                listed = await self._house.recogniser.list_tasks(None)
            except OutOfOrder as fault:  # reading the list is what a probe of the API does: no other needs to be asked
                await self._failed(fault)
            else:
                await self._worked()
                return listed

    async def _failed(self, fault: OutOfOrder) -> None:
        await self._scopes.report(fault if fault.scope == API else _list_fault(fault))
        self._scopes.release(TASKS)

    async def _worked(self) -> None:
        for scope in (API, TASKS):
            await self._scopes.works(scope)


def _list_fault(fault: OutOfOrder) -> OutOfOrder:
    wait = f"submits wait until the task list can be read{'; ' + fault.remedy if fault.remedy else ''}"
    return replace(fault, scope=TASKS, remedy=wait)


def is_over(look: Look) -> bool:
    """Whether nothing else will be seen of a task."""
    return look.steady or (look.report is not None and is_terminal(look.report) and is_telling(look.report))


def _gate_fault(tasks: int, files: int) -> OutOfOrder:
    message = f"{files} files wait: {tasks} tasks of the account, unknown to this ledger, run and could be theirs"
    return OutOfOrder("start", "UnknownTasks", message, "nothing to do: they are submitted when those tasks have ended")


def _expired(row: BatchRow) -> Failure:
    message = "the answer to its submit was lost, and the task list does not reach back to it"
    return Failure("SubmitExpired", message, "look at the bill, then `dropscribe retry`", attempts=len(row.items))
