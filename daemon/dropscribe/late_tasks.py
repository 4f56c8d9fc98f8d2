"""Tasks of ours beside those that the ledger knows: they came late, or a proxy sent a submit twice.

a batch whose fate is known -> ten minutes later the list once more -> a task with its keys is told, never adopted
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from dropscribe.clock import Wake
from dropscribe.house import House
from dropscribe.inquiry import Inquiry
from dropscribe.ledger import batches, tasklist
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import LATER, recognised_any
from dropscribe.verdicts import keys_under

log = structlog.get_logger()

TOGETHER = 300.0
"""Seconds of submits that are looked back at in one reading of the list."""
PAID_TWICE = "compare with the bill; `dropscribe status` names the tasks"


@dataclass(frozen=True)
class LookBack:
    """A batch whose fate is known, and when (monotonic) the list is read once more: a second task may have its keys."""

    batch_id: int
    look_at: float


class LateTasks:
    """Which batches are to be looked back at, and what was told of their further tasks."""

    def __init__(self, house: House, inquiry: Inquiry, wake: Wake) -> None:
        """`wake` is set when there is something to look back at."""
        self._house = house
        self._ledger, self._clock = house.ledger, house.clock
        self._inquiry = inquiry
        self._wake = wake
        self._told: set[str] = set()
        self._look_back: list[LookBack] = []

    @property
    def next_look(self) -> float | None:
        """When (monotonic) the list is to be read for the next of them."""
        return min((one.look_at for one in self._look_back), default=None)

    async def due(self) -> list[BatchRow]:
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
        if len(self._look_back) == 1:  # the others are not due before the first; each would have the list read at once
            self._wake.set()

    async def note(self, task_ids: Sequence[str]) -> None:
        """Tasks of ours beside those that the ledger knows (late ones, doubled ones) are told, and never adopted.

        One that names keys of a batch in doubt may be that of a submit whose answer is still awaited.
        """
        for task_id in task_ids:
            report = self._inquiry.final[task_id]
            keys = keys_under(report, self._house.key_prefix)
            if not keys or task_id in self._told:
                continue
            paid = recognised_any(report)
            batch_id = await self._ledger.do(tasklist.came_late, keys, task_id, paid)
            if batch_id is None:
                continue
            self._told.add(task_id)
            if paid:
                log.error("batch.paid-twice", batch=batch_id, task_ids=[task_id], remedy=PAID_TWICE)
            else:
                log.warning("task.late", batch=batch_id, task_id=task_id)
