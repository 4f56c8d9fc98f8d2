"""Tasks and the billing book: what was asked, how far it is, what it cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from dropscribe.sandbox.clock import shanghai_text
from dropscribe.sandbox.spoken import Recording

ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED"})


@dataclass(frozen=True, slots=True)
class Heard:
    """A file that was recognised: enough to write its result document on demand."""

    sha256: str
    size: int
    spoken: Recording | None = None
    """Where the sandbox listened."""


@dataclass(slots=True)
class Subtask:
    """One URL of a task; exactly one of `heard` and `code` is set when it has ended."""

    url: str
    heard: Heard | None = None
    code: str = ""
    message: str = ""

    @property
    def status(self) -> str:
        return "SUCCEEDED" if self.heard else "FAILED" if self.code else "PENDING"


@dataclass(slots=True)
class Task:
    """Moments are seconds since the epoch on the sandbox's clock."""

    task_id: str
    request_id: str
    account: str
    model: str
    parameters: Mapping[str, Any] | None
    subtasks: tuple[Subtask, ...]
    created: float
    status: str = "PENDING"
    scheduled: float | None = None
    ended: float | None = None
    code: str = ""
    message: str = ""
    billed_seconds: int = 0

    @property
    def metrics(self) -> dict[str, int]:
        statuses = [s.status for s in self.subtasks]
        return {"TOTAL": len(statuses), "SUCCEEDED": statuses.count("SUCCEEDED"), "FAILED": statuses.count("FAILED")}

    def end(self, status: str, moment: float) -> None:
        self.status, self.ended = status, moment

    def output(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """`output` of a query's answer; `results` counts only where the task has ended with some."""
        output: dict[str, Any] = {"task_id": self.task_id, "task_status": self.status}
        output["submit_time"] = shanghai_text(self.created)
        output["scheduled_time"] = shanghai_text(self.created + 0.03)
        if self.ended is not None:
            output["end_time"] = shanghai_text(self.ended)
        if self.code:
            output |= {"code": self.code, "message": self.message}
        if self.status in ("SUCCEEDED", "FAILED") and not (self.code and not results):
            output["results"] = list(results)
        output["task_metrics"] = self.metrics
        return output

    def row(self, region: str) -> dict[str, Any]:
        """One entry of the task list."""
        row: dict[str, Any] = {"task_id": self.task_id, "request_id": self.request_id, "status": self.status}
        row |= {"model_name": self.model, "region": region, "gmt_create": int(self.created * 1000)}
        if self.scheduled is not None:
            row["start_time"] = int(self.scheduled * 1000)
        if self.ended is not None:
            row["end_time"] = int(self.ended * 1000)
        api = f"apikey:v1:audio:asr:transcription:{self.model}"
        return row | {
            "api_key_id": "1",
            "caller_uid": self.account,
            "caller_parent_id": self.account,
            "user_api_unique_key": api,
        }

    def as_json(self) -> dict[str, Any]:
        """For tests: the task without query strings, which carry signatures."""
        files = [{"file": url_path(s.url), "status": s.status, "code": s.code} for s in self.subtasks]
        return {
            "task_id": self.task_id,
            "account": self.account,
            "model": self.model,
            "parameters": self.parameters,
            "status": self.status,
            "created": self.created,
            "ended": self.ended,
            "files": files,
        }


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One recognition that was paid: `file` is the decoded path of its URL, `time` on the sandbox's clock."""

    sha256: str
    task_id: str
    model: str
    file: str
    seconds: int
    time: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class TaskBook:
    """All tasks of the last `retention` seconds after their end, and everything that was ever billed."""

    retention: float
    tasks: dict[str, Task] = field(default_factory=dict)
    billed: list[BookEntry] = field(default_factory=list)

    def find(self, task_id: str, account: str | None, now: float) -> Task | None:
        """The task, if it is still kept and belongs to this account (None: any)."""
        task = self.tasks.get(task_id)
        if task is None or (account is not None and task.account != account):
            return None
        if self._is_kept(task, now):
            return task
        del self.tasks[task_id]
        return None

    def recent(self, account: str, since: float, until: float, now: float) -> list[Task]:
        """Tasks of an account created in a window, newest first."""
        found = [t for t in self.tasks.values() if t.account == account and since <= t.created <= until]
        return sorted((t for t in found if self._is_kept(t, now)), key=lambda t: t.created, reverse=True)

    def _is_kept(self, task: Task, now: float) -> bool:
        return task.ended is None or now - task.ended <= self.retention

    def bill(self, task: Task, subtask: Subtask, heard: Heard, seconds: int, now: float) -> None:
        task.billed_seconds += seconds
        file = url_path(subtask.url)
        self.billed.append(BookEntry(heard.sha256, task.task_id, task.model, file, seconds, now))


def url_path(url: str) -> str:
    """The decoded path of a URL: its query may hold a signature."""
    return unquote(urlsplit(url).path)
