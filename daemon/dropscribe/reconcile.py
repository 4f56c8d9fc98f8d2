"""Lost submits, settled through the task list: the acting half of `lost`.

at start:  the start gate opens
then:      each lost batch -> complete list -> every candidate asked -> adopted | expired | ask again
                           -> none after the grace: its objects go -> complete list, none still -> never arrived
"""

from collections.abc import Callable, Sequence

import structlog

from dropscribe.boundaries import Step
from dropscribe.clock import Wake, wait_for_event
from dropscribe.config.settings import Settings
from dropscribe.house import House
from dropscribe.inquiry import Inquiry, is_over
from dropscribe.late_tasks import PAID_TWICE, LateTasks
from dropscribe.ledger import batches, tasklist
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import OLDEST, Settled, age, candidates, settle, shows_absence
from dropscribe.model import Failure
from dropscribe.remote.policy import poll_wait
from dropscribe.scopes import Blame
from dropscribe.start_gate import StartGate
from dropscribe.strangers import Strangers
from dropscribe.task_list import TaskList

log = structlog.get_logger()

SETTLE = Step("submit.settle", "before", "recorded")

STRANGERS_EVERY = 600.0
"""Seconds between two looks for submits that another key made."""
IN_DOUBT = "dropscribe ended before the answer to its submit was there; the task list decides what became of it"


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
        self._ledger, self._clock = house.ledger, house.clock
        self._on_task = on_task
        self._on_needed = on_needed
        self._strangers = strangers
        self.wake = Wake()
        self._inquiry = Inquiry(house, blame, self.wake.moved)
        self._shown_absent: set[int] = set()
        """Lost batches of which a list has shown for good that they never arrived, and whose objects do not go."""
        self._strangers_at = 0.0
        self._waits_for_deletes = False
        self._task_list = TaskList(house)
        self.late = LateTasks(house, self._inquiry, self.wake)
        self.gate = StartGate(house, self._inquiry, self._task_list, self.late, on_task)

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
            self.late.look_back_later(batch_id)
        await self.gate.open(withhold)

    async def run(self) -> None:
        """Settle until cancelled."""
        pause = 0.0
        poll = self._settings.model_studio.poll
        while True:
            lost = await self._ledger.look(batches.open_batches, "lost")
            mine = [row for row in lost if self._is_mine(row)]
            late = await self.late.due()
            if mine or late or (lost and self._strangers_at <= self._clock.monotonic()):
                await self._settle_all(lost, late)
            if self.gate.asks_still:
                await self.gate.ask_again()
            busy = bool(mine) or self.gate.asks_still
            pause = poll_wait(pause, poll.first, poll.longest) if busy else 0.0
            await wait_for_event(self.wake, self._clock, pause if busy else self._rest(bool(lost)))

    def _rest(self, strangers: bool) -> float | None:
        """Seconds until there is something to look for; None: until something is lost."""
        times = [self.late.next_look, self._strangers_at if strangers else None]
        due = [at for at in times if at is not None]
        return max(0.05, min(due) - self._clock.monotonic()) if due else None

    def _is_mine(self, row: BatchRow) -> bool:
        who = self._house.recogniser.identity
        return (row.endpoint, row.account) == (who.endpoint, who.account)

    async def _settle_all(self, lost: Sequence[BatchRow], late: Sequence[BatchRow]) -> None:
        """Under another key only a find is believed: what it does not show may be there all the same."""
        self._strangers_at = self._clock.monotonic() + STRANGERS_EVERY
        ages = {row.id: self._age(row) for row in lost}  # at the latest when the reading begins
        doomed = await self._ledger.look(batches.with_objects, list(ages))  # and so is this
        listed = await self._task_list.read()
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
                self.late.look_back_later(row.id)
        await self.late.note([task_id for task_id in self._inquiry.final if task_id not in known | found])

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
        self._shown_absent.discard(row.id)
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
            self.late.look_back_later(row.id)
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


def _expired(row: BatchRow) -> Failure:
    message = "the answer to its submit was lost, and the task list does not reach back to it"
    return Failure("SubmitExpired", message, "look at the bill, then `dropscribe retry`", attempts=len(row.items))
