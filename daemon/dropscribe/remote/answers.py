"""Model Studio's JSON, read tolerantly: bytes and headers in, nouns out. Pure; the shapes are its documents'."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

from dropscribe.error_codes import without_urls
from dropscribe.foreign import number
from dropscribe.model import ListedTask, SubtaskResult, TaskReport

Json = dict[str, Any]

_SECONDS_BELOW = 1e11  # an epoch of this size or more is in milliseconds


class Unreadable(Exception):
    """An answer that is not what the document promises; says what was missing, never what was there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer that is not a success says; empty where it says nothing."""

    code: str
    message: str
    request_id: str | None


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the task list; None is what the page did not say."""

    tasks: tuple[ListedTask, ...]
    total: int | None
    total_pages: int | None
    page_size: int | None


def submit_body(model: str, urls: Sequence[str], parameters: Mapping[str, Any]) -> bytes:
    """The request. `parameters` is always there: workspace endpoints fail the task later where it is missing."""
    settings = dict(parameters)
    words = settings.get("special_word_filter")
    if words is not None and not isinstance(words, str):
        settings["special_word_filter"] = json.dumps(words, ensure_ascii=False)
    body = {"model": model, "input": {"file_urls": list(urls)}, "parameters": settings}
    return json.dumps(body, ensure_ascii=False).encode()


def read_object(data: bytes) -> Json:
    """Raises Unreadable."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is not JSON") from error
    if not isinstance(body, dict):
        raise Unreadable("it is not a JSON object")
    return body


def read_refusal(data: bytes, header_request_id: str | None) -> Refusal:
    """Never raises: an error may come from a gateway that speaks HTML, or nothing at all."""
    try:
        body = read_object(data)
    except Unreadable:
        body = {}
    inner = body.get("error")
    said = inner if isinstance(inner, dict) else _output(body) if "code" not in body else body
    return Refusal(
        _text(said.get("code")) or "",
        _text(said.get("message")) or "",
        _text(body.get("request_id")) or header_request_id,
    )


def read_accepted(body: Json) -> str | None:
    """The task id of a submit's answer, or None where there is none."""
    return _text(_output(body).get("task_id"))


def read_task(body: Json, task_id: str) -> TaskReport:
    """The answer to a query. Raises Unreadable, also where it speaks of another task."""
    output = _output(body)
    status = _text(output.get("task_status"))
    if status is None:
        raise Unreadable("it has no task_status")
    if (_text(output.get("task_id")) or task_id) != task_id:
        raise Unreadable("it speaks of another task")
    return TaskReport(
        task_id=task_id,
        status=status.upper(),
        results=_results(output, status.upper()),
        code=_text(output.get("code")),
        message=_message(output),
        total=_whole(_mapping(output.get("task_metrics")).get("TOTAL")),
        billed_seconds=_billed(body) if body.get("usage") else _billed(output),
        request_id=_text(body.get("request_id")),
    )


def _output(body: Json) -> Json:
    """Some answers (and samples in the documents) come without the `output` around them."""
    return _mapping(body.get("output")) or body


def _results(output: Json, task_status: str) -> tuple[SubtaskResult, ...] | None:
    rows = output.get("results")
    if rows is None:
        rows = [output["result"]] if output.get("result") else None
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("its results are not a list of objects")
    return tuple(_result(row, task_status) for row in rows)


def _result(row: Json, task_status: str) -> SubtaskResult:
    return SubtaskResult(
        file_url=_text(row.get("file_url")) or "",
        status=(_text(row.get("subtask_status")) or task_status).upper(),
        transcription_url=_text(row.get("transcription_url")),
        code=_text(row.get("code")),
        message=_message(row),
    )


def _billed(body: Json) -> float | None:
    usage = _mapping(body.get("usage"))
    return number(usage.get("duration")) if usage.get("duration") is not None else number(usage.get("seconds"))


def read_page(body: Json) -> ListPage:
    """One page of the task list. Raises Unreadable rather than leave a row out."""
    at = body if _rows(body) is not None else _output(body)
    rows = _rows(at)
    if rows is None and not _says_empty(at):
        raise Unreadable("it holds no list of tasks")
    total = _whole(at.get("total"))
    return ListPage(
        tasks=tuple(_listed(row) for row in rows or ()),
        total=None if total is not None and total < len(rows or ()) else total,  # refuted by its own page
        total_pages=_whole(at.get("total_page")),
        page_size=_whole(at.get("page_size")),
    )


def _rows(body: Json) -> list[Any] | None:
    return next((body[name] for name in ("data", "tasks") if isinstance(body.get(name), list)), None)


def _says_empty(body: Json) -> bool:
    """Some writers of JSON leave an empty list out, or write null: then the count has to say that it is empty."""
    return all(body.get(name) is None for name in ("data", "tasks")) and _whole(body.get("total")) == 0


def _listed(row: object) -> ListedTask:
    fields = _mapping(row)
    task_id = _text(fields.get("task_id"))
    if task_id is None:
        raise Unreadable("a task in it has no task_id")
    created = number(fields.get("gmt_create"))
    if created is not None and created >= _SECONDS_BELOW:
        created /= 1000
    status = _text(fields.get("status")) or _text(fields.get("task_status")) or "UNKNOWN"
    return ListedTask(task_id, status.upper(), _text(fields.get("model_name")), created)


def may_be_of(model: str, listed: str | None) -> bool:
    """Whether a task listed under one name may be of `model`: `fun-asr` is another name of `fun-asr-2025-11-07`."""
    return listed is None or listed.startswith(model) or model.startswith(listed)


def is_end(pages: Sequence[ListPage]) -> bool:
    """Whether the last of these pages ends the list. What the list says of itself counts more than the page's length:

    the largest page that the service allows is not documented, so a page may be shorter than what was asked for.
    """
    last = pages[-1]
    if not last.tasks or not _ids(pages[-1:]) - _ids(pages[:-1]):
        return True
    if last.total is not None:
        return sum(len(page.tasks) for page in pages) >= last.total
    if last.total_pages is not None:
        return len(pages) >= last.total_pages
    return last.page_size is not None and len(last.tasks) < last.page_size


def is_whole(pages: Sequence[ListPage]) -> bool:
    """Whether pages that were read one after the other show every task that existed when the first was read.

    Tasks created meanwhile push others to later pages: some come twice, which is harmless. A task that expires
    meanwhile pulls others forward, past our eyes, unless it goes at the end: where the newest come first.
    """
    tasks = [task for page in pages for task in page.tasks]
    first, last = pages[0].total or 0, pages[-1].total or 0
    if len(tasks) < last or (first and pages[-1].total == 0):  # a list that has vanished while it was read is a fault
        return False
    return len(_ids(pages)) >= first or _newest_first(tasks)


def _ids(pages: Sequence[ListPage]) -> set[str]:
    return {task.task_id for page in pages for task in page.tasks}


def _newest_first(tasks: Sequence[ListedTask]) -> bool:
    known = [task.created for task in tasks if task.created is not None]
    return len(known) == len(tasks) and all(later >= earlier for later, earlier in pairwise(known))


def server_date(value: str | None) -> float | None:
    """Seconds since the epoch of a `Date` header, or None where it is missing or unreadable."""
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, OverflowError, OSError):
        return None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date seen from `now` (seconds since the epoch)."""
    if not value:
        return None
    seconds = number(value.strip())
    if seconds is None and (date := server_date(value)) is not None:
        seconds = date - now
    return None if seconds is None else max(0.0, seconds)


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """A value that should be a word; numbers are taken as such, nothing else is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _message(fields: Json) -> str | None:
    text = _text(fields.get("message"))
    return without_urls(text) if text else None


def _whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)
