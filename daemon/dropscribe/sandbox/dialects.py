"""Answers in the forms of other documents, SDKs and sister models: the same facts told in another way. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Body = dict[str, Any]


def _null_usage(body: Body) -> Body:
    return {**body, "usage": None}


def _seconds(body: Body) -> Body:
    usage = body.get("usage")
    return {**body, "usage": {"seconds": usage["duration"]}} if usage else body


def _code_in_message(body: Body) -> Body:
    results = [_nameless(result) for result in body["output"].get("results", [])]
    return _with_output(body, results=results) if results else body


def _nameless(result: Body) -> Body:
    if "code" not in result:
        return result
    return {name: value for name, value in result.items() if name != "code"} | {"message": result["code"]}


def _one_result(body: Body) -> Body:
    """Of a task of one file: `result` in place of `results`, as the sister models answer, and no counts."""
    output = {name: value for name, value in body["output"].items() if name not in ("results", "task_metrics")}
    results = body["output"].get("results", [])
    if len(results) != 1 or "transcription_url" not in results[0]:
        return body
    return {**body, "output": {**output, "result": {"transcription_url": results[0]["transcription_url"]}}}


def _zeroed(body: Body) -> Body:
    if body["output"]["task_status"] != "UNKNOWN":
        return body
    return _with_output(body, task_metrics={"TOTAL": 0, "SUCCEEDED": 0, "FAILED": 0})


def _unwrapped(body: Body) -> Body:
    return {**{name: value for name, value in body.items() if name != "output"}, **body["output"]}


def _as_tasks(body: Body) -> Body:
    return {("tasks" if name == "data" else name): value for name, value in body.items()}


_FORMS: Mapping[str, Callable[[Body], Body]] = {
    "null_usage": _null_usage,
    "seconds": _seconds,
    "code_in_message": _code_in_message,
    "one_result": _one_result,
    "zeroed": _zeroed,
    "as_tasks": _as_tasks,
    "unwrapped": _unwrapped,  # the last: the others look for `output`
}
OF_QUERY = frozenset(_FORMS) - {"as_tasks"}
OF_LIST = frozenset({"as_tasks"})


def told(body: Body, forms: Iterable[str]) -> Body:
    """The body of an answer in these forms, as far as they apply to it."""
    wanted = frozenset(forms)
    for name, form in _FORMS.items():
        if name in wanted:
            body = form(body)
    return body


def _with_output(body: Body, **changes: Any) -> Body:
    return {**body, "output": {**body["output"], **changes}}
