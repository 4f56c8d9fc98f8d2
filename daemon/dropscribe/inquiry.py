"""What is known of the tasks that the account's list shows: each is asked until its answer is final.

a task that ended and names files -> final: ours or not, for ever
UNKNOWN, or ended without a word on its files -> unclear; believed only when nothing else was seen for the whole grace
a query that fails for this task alone -> cannot be told now; nobody else waits for it
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog

from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.lost import Look, is_telling
from dropscribe.model import API, QUERIES, TASKS, ListedTask, TaskReport
from dropscribe.scopes import Blame
from dropscribe.verdicts import is_terminal

log = structlog.get_logger()

STEADY_LOOKS = 3


@dataclass
class _Unclear:
    since: float
    looks: int


class Inquiry:
    """Asks about listed tasks, and remembers what cannot change."""

    def __init__(self, house: House, blame: Blame, on_answer: Callable[[], None]) -> None:
        """`blame` tells a dead API from a query that fails; `on_answer` is called when a question has ended, however:
        thousands in a row are asked at the pace that the service allows, and are no hang.
        """
        self._house = house
        self._on_answer = on_answer
        self._scopes, self._clock = house.scopes, house.clock
        self._blame = blame
        self._final: dict[str, TaskReport] = {}
        self._alive: set[str] = set()
        self._unclear: dict[str, _Unclear] = {}
        self._unanswered: set[str] = set()

    @property
    def final(self) -> dict[str, TaskReport]:
        """Reports that tell whose a task is, by its id."""
        return self._final

    def forget_all_but(self, shown: Collection[str]) -> None:
        """What the list does not show any more is not asked about any more."""
        self._final = {task_id: report for task_id, report in self._final.items() if task_id in shown}
        self._unclear = {task_id: unclear for task_id, unclear in self._unclear.items() if task_id in shown}
        self._alive &= set(shown)
        self._unanswered &= set(shown)

    async def look(self, task: ListedTask) -> Look:
        """What became of a task, as far as anybody can tell now."""
        if (final := self._final.get(task.task_id)) is not None:
            return Look(final)
        report = await self._query(task.task_id)
        if report is None:
            return Look(None)
        if report.status == "UNKNOWN" or (is_terminal(report) and not is_telling(report)):
            return Look(report, self._is_steady(task.task_id))
        self._unclear.pop(task.task_id, None)
        self._alive.add(task.task_id)
        if is_terminal(report):
            self._final[task.task_id] = report
        return Look(report)

    def _is_steady(self, task_id: str) -> bool:
        """Whether nothing else was seen of it, several times, for the whole grace."""
        now = self._clock.monotonic()
        unclear = self._unclear.setdefault(task_id, _Unclear(now, 0))
        unclear.looks += 1
        grace = self._house.settings.model_studio.lost_submit_grace
        return task_id not in self._alive and unclear.looks >= STEADY_LOOKS and now - unclear.since >= grace

    async def _query(self, task_id: str) -> TaskReport | None:
        """None where this task's query fails though the API is there."""
        while True:
            await self._scopes.passage(API, TASKS)
            try:
                report = await self._ask(task_id)
            except OutOfOrder as fault:
                fault = await self._blame(fault, QUERIES)
                if fault.scope == API:
                    await self._scopes.report(fault)
                elif not fault.quiet:
                    self._say_unanswered(task_id, fault)
                    return None
            else:
                await self._scopes.works(API)
                return report

    async def _ask(self, task_id: str) -> TaskReport:
        try:
            return await self._house.recogniser.query(task_id)
        finally:
            self._house.answers += 1
            self._on_answer()

    def _say_unanswered(self, task_id: str, fault: OutOfOrder) -> None:
        if task_id not in self._unanswered:
            self._unanswered.add(task_id)
            log.warning("task.unanswered", task_id=task_id, code=fault.code, message=self._house.clean(fault.message))


def is_over(look: Look) -> bool:
    """Whether nothing else will be seen of a task."""
    return look.steady or (look.report is not None and is_terminal(look.report) and is_telling(look.report))
