"""Before the first submit after every start: tasks of ours that this ledger does not know are adopted.

something waits with a key -> list of the last 24 hours -> each unknown task asked -> ended and ours: adopted
                                                        -> still running: what it could be about waits
"""

from collections.abc import Callable, Sequence

import structlog

from dropscribe.boundaries import Step
from dropscribe.errors import OutOfOrder
from dropscribe.house import House
from dropscribe.inquiry import Inquiry, is_over
from dropscribe.late_tasks import LateTasks
from dropscribe.ledger import tasklist
from dropscribe.lost import OLDEST, same_model
from dropscribe.model import ListedTask
from dropscribe.task_list import TaskList
from dropscribe.verdicts import keys_under

log = structlog.get_logger()

ADOPT = Step("submit.adopt", "before", "recorded")

ASKING = "the task list shows tasks that this ledger does not know: before anything is sent each is asked whose it is"
START = "start"
"""Scope of what waits because such a task still runs."""


class StartGate:
    """Shut until the list was read; what is left to be asked holds back only what was there before."""

    def __init__(
        self, house: House, inquiry: Inquiry, task_list: TaskList, late: LateTasks, on_task: Callable[[int], None]
    ) -> None:
        """`on_task` gets the id of a batch that has a task; `late` tells of tasks whose files are home already."""
        self._house = house
        self._ledger, self._scopes = house.ledger, house.scopes
        self._inquiry = inquiry
        self._task_list = task_list
        self._late = late
        self._on_task = on_task
        self._rest: Sequence[ListedTask] = ()
        self.is_open = False
        """Whether submits may leave, at least of what came since the start."""

    @property
    def asks_still(self) -> bool:
        """Whether there are tasks of which it cannot be told yet."""
        return bool(self._rest)

    async def open(self, withhold: Callable[[set[int]], None]) -> None:
        """Return when the task list was read once. What a forgotten task could be about is withheld until it is known.

        `withhold` is called with the recognitions that must not be submitted yet.
        """
        ready = await self._ledger.look(tasklist.ready_since_before)
        listed = await self._task_list.read()
        unknown = await self._unknown(listed) if ready else []
        oldest = min((since for _, _, since in ready), default=0.0)
        asked = [task for task in unknown if task.created is None or task.created >= oldest - 600]
        if asked:
            log.info("start.asking", tasks=len(asked), files=len(ready), reason=ASKING)
        self._rest = await self._adopt_ours(asked)
        withhold({recognition_id for recognition_id, _, _ in ready} if self._rest else set())
        if self._rest:
            await self._scopes.report(_gate_fault(len(self._rest), len(ready)))
        self._withhold = withhold
        self.is_open = True

    async def ask_again(self) -> None:
        """Ask for what could not be told; nothing is withheld any more when all of it is known."""
        self._rest = await self._adopt_ours(self._rest)
        if not self._rest:
            self._withhold(set())
            await self._scopes.works(START)

    async def _adopt_ours(self, tasks: Sequence[ListedTask]) -> list[ListedTask]:
        """Adopt the ended ones that are ours; return those of which it cannot be told yet."""
        still_open = []
        for task in tasks:
            look = await self._inquiry.look(task)
            if not is_over(look):
                still_open += [task] if self._is_listed_still(task) else []
            elif look.report is not None and (keys := keys_under(look.report, self._house.key_prefix)):
                await self._adopt(task.task_id, keys)
        return still_open

    def _is_listed_still(self, task: ListedTask) -> bool:
        """The list reaches back a day; what it does not show any more is nobody's to wait for."""
        now = self._house.recogniser.server_time or self._house.clock.now()
        return task.created is None or now - task.created <= OLDEST

    async def _adopt(self, task_id: str, keys: Sequence[str]) -> None:
        ADOPT.before()
        who, now = self._house.recogniser.identity, self._house.clock.now()
        batch_id = await self._ledger.do(tasklist.adopt_unknown, keys, who, task_id, self._ledger.epoch, now)
        ADOPT.recorded()
        log.warning("task.found", task_id=task_id, files=len(keys), adopted=batch_id is not None)
        if batch_id is not None:
            self._on_task(batch_id)
        else:
            await self._late.note([task_id])

    async def _unknown(self, listed: Sequence[ListedTask]) -> list[ListedTask]:
        known = await self._ledger.look(tasklist.known_tasks, [task.task_id for task in listed])
        models = {inbox.model for inbox in self._house.settings.inboxes}
        return [
            task
            for task in listed
            if task.task_id not in known and any(same_model(task.model, model) for model in models)
        ]


def _gate_fault(tasks: int, files: int) -> OutOfOrder:
    message = f"{files} files wait: {tasks} tasks of the account, unknown to this ledger, run and could be theirs"
    return OutOfOrder(START, "UnknownTasks", message, "nothing to do: they are submitted when those tasks have ended")
