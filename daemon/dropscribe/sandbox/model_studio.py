"""The HTTP face of Model Studio: submit, query, list and cancel, with its checks, shapes and rates."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dropscribe.sandbox.answers import Answer, StudioError, json_answer, new_id
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.clock import SandboxClock
from dropscribe.sandbox.counters import SlidingWindow
from dropscribe.sandbox.dialects import told
from dropscribe.sandbox.faults import OF_MEANING, Fault, FaultBook, Subject
from dropscribe.sandbox.listing import asked
from dropscribe.sandbox.results import result_path
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.submits import checked_parameters, checked_urls, json_body
from dropscribe.sandbox.tasks import Subtask, Task, TaskBook, url_path

SUBMIT_PATH = "/api/v1/services/audio/asr/transcription"
TASKS_PATH = "/api/v1/tasks"
_OF_TASKS = frozenset({"twice", "late"})


def call_name(call: Call) -> str:
    """Which of the service's calls this is; `` for one that the sandbox does not know."""
    path = call.path.rstrip("/")
    if path == SUBMIT_PATH:
        return "submit" if call.method == "POST" else ""
    if path == TASKS_PATH:
        return "list" if call.method == "GET" else ""
    if path.startswith(f"{TASKS_PATH}/"):
        cancels = path.endswith("/cancel")
        if call.method == "POST" and cancels:
            return "cancel"
        return "query" if call.method in ("GET", "POST") and not cancels else ""
    return ""


def task_id_of(path: str) -> str:
    """The task id in the path of a query or cancel."""
    return path.removeprefix(f"{TASKS_PATH}/").partition("/")[0]


def submit_subject(body: bytes) -> Subject:
    """Model and files of a submit, for faults to match; empty where the body is no such thing."""
    try:
        document = json.loads(body)
        return files_subject(document["model"], [u for u in document["input"]["file_urls"] if isinstance(u, str)])
    except (ValueError, KeyError, TypeError):
        return Subject()


def files_subject(model: str, urls: Sequence[str], task_id: str = "") -> Subject:
    """A task, or what shall become one, for faults to match."""
    return Subject(str(model), "\n".join(url_path(url) for url in urls), tuple(urls), task_id)


def task_subject(task: Task) -> Subject:
    return files_subject(task.model, [s.url for s in task.subtasks], task.task_id)


class ModelStudio:
    """Answers the service's calls; raises StudioError where it would refuse."""

    def __init__(
        self,
        settings: SandboxSettings,
        clock: SandboxClock,
        book: TaskBook,
        faults: FaultBook,
        begin: Callable[[Task], None],
    ) -> None:
        self.settings, self._clock, self._book, self._faults, self._begin = settings, clock, book, faults, begin
        self.base_url = ""
        self._windows: dict[tuple[str, ...], SlidingWindow] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def handle(self, call: Call, name: str) -> Answer | None:
        """One call, from key to answer; None where the caller is to be left without one."""
        account = self._account(call)
        match name:
            case "submit":
                return await self._submit(call, account)
            case "query":
                self._pace("query", account, self.settings.query_rate)
                return self._query(call, account)
            case "list":
                self._pace("list", account, self.settings.list_rate)
                return self._list(call, account)
            case "cancel":
                self._pace("cancel", account, self.settings.cancel_rate)
                return self._cancel(call, account)
        raise StudioError(404, "NotFound", "The path does not exist.")

    def _account(self, call: Call) -> str:
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        account = self.settings.account_of(key.strip()) if scheme == "Bearer" else None
        if account is None:
            raise StudioError(401, "InvalidApiKey", "Invalid API-key provided.")
        return account

    def _pace(self, name: str, account: str, limit: int, *, model: str = "", seconds: float = 1.0) -> None:
        if not self.settings.enforce_rates:
            return
        window = self._windows.setdefault((name, account, model, str(seconds)), SlidingWindow(seconds))
        if not window.admits(limit):
            message = "Requests rate limit exceeded, please try again later."
            raise StudioError(429, "Throttling.RateQuota", message)

    def _pace_submit(self, account: str, model: str) -> None:
        a_minute = self.settings.mtl_submits_a_minute
        if model.startswith("fun-asr-mtl") and a_minute is not None:
            self._pace("submit", account, a_minute, model=model, seconds=60.0)
        else:
            self._pace("submit", account, self.settings.submit_rate, model=model)

    async def _submit(self, call: Call, account: str) -> Answer | None:
        if call.headers.get("x-dashscope-async") != "enable":
            raise StudioError(403, "AccessDenied", "current user api does not support synchronous calls.")
        request = json_body(call, await call.body.read())
        model = self._model(request)
        self._pace_submit(account, model)
        urls, parameters = checked_urls(request, self.settings.largest_task), checked_parameters(request)
        urls = self._faulted_urls(model, urls)
        faults = self._faults.strike("submit", files_subject(model, urls), self._clock.now(), _OF_TASKS)
        if late := next((fault for fault in faults if fault.does == "late"), None):
            self._later(late.seconds, lambda: self._begin_task(call, account, model, urls, parameters))
            return None
        task = self._begin_task(call, account, model, urls, parameters)
        for _ in faults:
            self._begin_task(call, account, model, urls, parameters)
        return json_answer(
            {"request_id": call.request_id, "output": {"task_id": task.task_id, "task_status": "PENDING"}}
        )

    def _begin_task(
        self, call: Call, account: str, model: str, urls: Sequence[str], parameters: Mapping[str, Any] | None
    ) -> Task:
        subtasks = tuple(Subtask(url) for url in urls)
        task = Task(new_id(), call.request_id, account, model, parameters, subtasks, self._clock.now())
        self._book.tasks[task.task_id] = task
        self._begin(task)
        return task

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        async def waiting() -> None:
            await self._clock.sleep(seconds)
            act()

        self._waiting.append(asyncio.ensure_future(waiting()))

    def close(self) -> None:
        """Nothing begins any more."""
        for waiting in self._waiting:
            waiting.cancel()

    def _model(self, request: Mapping[str, Any]) -> str:
        model = request.get("model")
        if not isinstance(model, str) or not model:
            raise StudioError(400, "BadRequest.EmptyModel", "Required parameter model missing or invalid.")
        if model not in self.settings.models:
            raise StudioError(404, "ModelNotFound", f"Model {model} does not exist.")
        return model

    def _faulted_urls(self, model: str, urls: list[str]) -> list[str]:
        if len(urls) < 2:
            return urls
        subject = files_subject(model, urls)
        faults = self._faults.strike("submit", subject, self._clock.now(), frozenset({"one_url", "first_only"}))
        if any(f.does == "one_url" for f in faults):
            raise StudioError(400, "InvalidParameter", "input.file_urls supports only 1 URL.")
        return urls[:1] if faults else urls

    def _query(self, call: Call, account: str) -> Answer:
        task_id, now = task_id_of(call.path), self._clock.now()
        task = self._book.find(task_id, account, now)
        kinds = OF_MEANING["query"]
        subject = task_subject(task) if task else Subject(task=task_id)
        faults = self._faults.strike("query", subject, now, kinds)
        if task is None or any(f.does == "unknown" for f in faults):
            unknown = {"task_id": task_id, "task_status": "UNKNOWN"}
            return _told({"request_id": call.request_id, "output": unknown}, faults)
        output = task.output(bent(self._results(task), faults))
        output["task_status"] = next((f.code for f in faults if f.does == "status"), output["task_status"])
        if any(f.does == "no_results" for f in faults):
            output.pop("results", None)
        body: dict[str, Any] = {"request_id": call.request_id, "output": output}
        if task.status == "SUCCEEDED":
            body["usage"] = {"duration": task.billed_seconds}
        return _told(body, faults)

    def _results(self, task: Task) -> list[dict[str, Any]]:
        if task.ended is None or task.parameters is None:
            return []
        expires = task.ended + self.settings.retention_seconds
        return [self._result(task, number, s, expires) for number, s in enumerate(task.subtasks, 1)]

    def _result(self, task: Task, number: int, subtask: Subtask, expires: float) -> dict[str, Any]:
        result = {"file_url": subtask.url, "subtask_status": subtask.status}
        if subtask.heard is not None:
            return result | {"transcription_url": self.base_url + result_path(task.task_id, number, expires)}
        return result | {"code": subtask.code, "message": subtask.message}

    def _list(self, call: Call, account: str) -> Answer:
        question = asked(call, self._clock.now(), self.settings.largest_page)
        tasks = self._book.recent(account, question.since, question.until, self._clock.now())
        faults = self._faults.strike("list", None, self._clock.now(), OF_MEANING["list"])
        shown = [t for t in tasks if not any(_is_hidden(f, t, self._clock.now()) for f in faults)]
        return _told({"request_id": call.request_id, **question.answer(shown, self.settings.region)}, faults)

    def _cancel(self, call: Call, account: str) -> Answer:
        task = self._book.find(task_id_of(call.path), account, self._clock.now())
        if task is None or task.status != "PENDING":
            message = "Failed to cancel the task, please confirm if the task is in PENDING status."
            raise StudioError(400, "UnsupportedOperation", message)
        task.end("CANCELED", self._clock.now())
        return json_answer({"request_id": call.request_id})


def _told(body: dict[str, Any], faults: list[Fault]) -> Answer:
    return json_answer(told(body, (fault.does for fault in faults)))


def bent(results: list[dict[str, Any]], faults: list[Fault]) -> list[dict[str, Any]]:
    """The results of a finished task as the faults would have them."""
    if not results:
        return results
    for fault in faults:
        match fault.does:
            case "missing":
                part = fault.key or fault.url
                results = [r for r in results if part not in r["file_url"]] if part else results[:-1]
            case "foreign":
                foreign = "http://127.0.0.1/elsewhere/nobody-sent-this.wav"
                results = [*results, {"file_url": foreign, "subtask_status": "FAILED", "code": "FILE_404_NOT_FOUND"}]
            case "duplicate":
                results = [results[0], *results]
            case "reorder":
                results = results[::-1]
            case "bare_urls":
                results = [{**r, "file_url": r["file_url"].partition("?")[0]} for r in results]
    return results


def _is_hidden(fault: Fault, task: Task, now: float) -> bool:
    if fault.does not in ("hide", "lag"):
        return False
    matched = (fault.task or "") in task.task_id and (fault.model or "") in task.model
    return matched and (fault.does == "hide" or now - task.created < fault.seconds)
