"""The task list: what may be asked, and how it is cut into pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.clock import SHANGHAI
from dropscribe.sandbox.submits import invalid
from dropscribe.sandbox.tasks import Task

WINDOW = 24 * 3600.0
_STATUSES = frozenset({"PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"})


@dataclass(frozen=True, slots=True)
class Question:
    """`task_id`, `model_name` and `status` narrow where they are not empty; `since` and `until` are epoch seconds."""

    since: float
    until: float
    page: int
    size: int
    task_id: str
    model_name: str
    status: str

    def answer(self, tasks: Sequence[Task], region: str) -> dict[str, Any]:
        """The flat answer, without its request id."""
        found = [t for t in tasks if self._is_meant(t)]
        shown = found[(self.page - 1) * self.size : self.page * self.size]
        pages = {"total": len(found), "total_page": -(-len(found) // self.size), "page_no": self.page}
        return {**pages, "page_size": self.size, "data": [t.row(region) for t in shown]}

    def _is_meant(self, task: Task) -> bool:
        wanted = ((self.task_id, task.task_id), (self.model_name, task.model), (self.status, task.status))
        return all(not asked_for or asked_for == held for asked_for, held in wanted)


def asked(call: Call, now: float, largest_page: int) -> Question:
    """What a list call asks; raises StudioError for what the service would not take."""
    status = call.parameter("status")
    if status and status not in _STATUSES:
        raise invalid("status is not one of those that a task can have.")
    until = _moment(call, "end_time", now)
    since = _moment(call, "start_time", until - WINDOW)
    if not 0 <= until - since <= WINDOW:
        raise invalid("start_time and end_time must be at most 24 hours apart.")
    page, size = _count(call, "page_no", 1, 10**6), _count(call, "page_size", 10, largest_page)
    return Question(since, until, page, size, call.parameter("task_id"), call.parameter("model_name"), status)


def _moment(call: Call, name: str, default: float) -> float:
    text = call.parameter(name)
    if not text:
        return default
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI).timestamp()
    except ValueError as error:
        raise invalid(f"{name} must be written as YYYYMMDDhhmmss.") from error


def _count(call: Call, name: str, default: int, largest: int) -> int:
    text = call.parameter(name) or str(default)
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise invalid(f"{name} must be between 1 and {largest}.")
    return int(text)
