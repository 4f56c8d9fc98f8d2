"""What a submit may look like: the checks that the service makes before there is a task."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dropscribe.sandbox.answers import StudioError
from dropscribe.sandbox.calls import Call


def json_body(call: Call, body: bytes) -> Mapping[str, Any]:
    """The body as an object; raises StudioError where it is none."""
    if call.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise StudioError(400, "BadRequest.IllegalInput", "Content-Type must be application/json.")
    try:
        request = json.loads(body)
    except ValueError as error:
        raise StudioError(400, "BadRequest.IllegalInput", "The body is not JSON.") from error
    if not isinstance(request, dict):
        raise StudioError(400, "BadRequest.IllegalInput", "The body is not a JSON object.")
    return request


def checked_urls(request: Mapping[str, Any], most: int) -> list[str]:
    """`input.file_urls`: 1 to `most` texts."""
    given = request.get("input")
    if not isinstance(given, dict) or not given:
        raise StudioError(400, "BadRequest.EmptyInput", "Required parameter input missing or invalid.")
    urls = given.get("file_urls")
    if not isinstance(urls, list) or not all(isinstance(u, str) and u for u in urls) or not 1 <= len(urls) <= most:
        raise invalid(f"input.file_urls must list 1 to {most} URLs.")
    return urls


def checked_parameters(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """None where they are missing: the service finds that out only in the task."""
    given = request.get("parameters")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise invalid("parameters must be an object.")
    for name, value in given.items():
        if value is not None and not _PARAMETERS.get(name, _anything)(value):
            raise invalid(f"parameters.{name} is not what it should be.")
    return {name: value for name, value in given.items() if value is not None}


def _anything(_value: object) -> bool:
    return True


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(v) is int and v >= 0 for v in value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _speakers(value: object) -> bool:
    return type(value) is int and 2 <= value <= 100


def _json_text(value: object) -> bool:
    try:
        return isinstance(value, str) and isinstance(json.loads(value), dict)
    except ValueError:
        return False


_PARAMETERS: Mapping[str, Callable[[object], bool]] = {
    "channel_id": _whole_numbers,
    "diarization_enabled": lambda value: isinstance(value, bool),
    "speaker_count": _speakers,
    "language_hints": _texts,
    "vocabulary_id": lambda value: isinstance(value, str),
    "special_word_filter": _json_text,
}


def invalid(message: str) -> StudioError:
    """The refusal of a parameter."""
    return StudioError(400, "InvalidParameter", message)
