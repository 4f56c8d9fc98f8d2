"""Rules for requests to Model Studio, and for downloads of its results."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from contract.asked import STUDIO, Asked, split_query
from contract.rules import of_request
from contract.schemas import complaints
from contract.signing import signed_url_faults

MEDIA = frozenset(
    {
        *("aac", "amr", "avi", "flac", "flv", "m4a", "mkv", "mov", "mp3", "mp4"),
        *("mpeg", "ogg", "opus", "wav", "webm", "wma", "wmv"),
    }
)
STATUSES = frozenset({"PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "UNKNOWN"})
LIST_PARAMETERS = frozenset(
    {"task_id", "start_time", "end_time", "model_name", "status", "page_no", "page_size", "region", "api_key_id"}
)
LARGEST_PAGE = 100
_WINDOW = timedelta(hours=24)
_OF_WORKSPACE = "x-dashscope-workspace"


@of_request("S1", STUDIO)
def the_key_comes_as_a_bearer(asked: Asked) -> Iterator[str]:
    if not re.fullmatch(r"Bearer [\x21-\x7e]+", asked.value("authorization") or ""):
        yield "Authorization is not one `Bearer <key>`"


@of_request("S2", ["submit"])
def a_submit_asks_for_asynchronous_work_in_json(asked: Asked) -> Iterator[str]:
    if asked.value("x-dashscope-async") != "enable":
        yield "X-DashScope-Async is not `enable`"
    if not re.fullmatch(r"application/json(; *charset=utf-8)?", asked.value("content-type") or "", re.IGNORECASE):
        yield "Content-Type is not application/json"
    if asked.query:
        yield "it has a query"


@of_request("S3", STUDIO)
def no_other_header_of_the_service_is_sent(asked: Asked) -> Iterator[str]:
    known = {_OF_WORKSPACE}
    if asked.call == "submit":
        known.add("x-dashscope-async")
    if b'"oss://' in (asked.body or b""):
        known.add("x-dashscope-ossresourceresolve")
    for name in {name for name, _ in asked.headers if name.startswith("x-dashscope-")} - known:
        yield f"{name} is not of this call"


@of_request("S4", ["submit"])
def a_submit_has_the_documented_form(asked: Asked) -> Iterator[str]:
    if asked.body is not None:
        yield from complaints("submit", asked.body)


@of_request("S5", ["submit"])
def urls_can_be_fetched(asked: Asked) -> Iterator[str]:
    for url in _urls(asked):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "oss") or not parts.netloc or parts.fragment or "@" in parts.netloc:
            yield f"no plain absolute address: {parts.scheme}://{parts.netloc}{parts.path}"
        if not re.fullmatch(r"(?:[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=]|%[0-9A-F]{2})+", url):
            yield f"not percent-encoded: {parts.path}"
        if unquote(parts.path).rpartition(".")[2].lower() not in MEDIA:
            yield f"its suffix is not that of a medium: {parts.path}"


@of_request("S6", ["submit"])
def urls_are_signed_as_the_storage_wants_it(asked: Asked) -> Iterator[str]:
    for url in _urls(asked):
        parts = urlsplit(url)
        if parts.query:
            yield from signed_url_faults(parts.path, split_query(parts.query))


@of_request("S7", ["submit"])
def the_word_filter_is_json_in_a_text(asked: Asked) -> Iterator[str]:
    words = _parameters(asked).get("special_word_filter")
    if isinstance(words, str):
        yield from complaints("word_filter", words.encode())


@of_request("S8", ["query", "cancel"])
def a_task_is_asked_for_by_its_id_alone(asked: Asked) -> Iterator[str]:
    task_id = asked.path.split("/")[4]
    if not re.fullmatch(r"(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})+", task_id):
        yield f"not a task id: {task_id!r}"
    if asked.query or asked.body_size:
        yield "it has a query or a body"


@of_request("S9", ["list"])
def a_list_is_asked_for_in_known_words(asked: Asked) -> Iterator[str]:
    if unknown := set(asked.parameters) - LIST_PARAMETERS:
        yield f"unknown: {sorted(unknown)}"
    if len(asked.parameters) != len(set(asked.parameters)) or asked.body_size:
        yield "it asks twice for one thing, or has a body"
    for name, largest in (("page_no", 10**6), ("page_size", LARGEST_PAGE)):
        page = asked.parameter(name)
        if page is not None and not (page.isascii() and page.isdigit() and 1 <= int(page) <= largest):
            yield f"{name} is {page}"
    if asked.parameter("status") not in (None, *STATUSES):
        yield f"status is {asked.parameter('status')}"


@of_request("S10", ["list"])
def a_list_reaches_back_a_day(asked: Asked) -> Iterator[str]:
    try:
        since, until = (_moment(asked.parameter(name)) for name in ("start_time", "end_time"))
    except ValueError:
        yield "start_time and end_time are not YYYYMMDDhhmmss"
        return
    if since and until and not timedelta() <= until - since <= _WINDOW:
        yield "start_time and end_time are not within 24 hours"


@of_request("R1", ["result"])
def a_result_is_fetched_by_its_url_alone(asked: Asked) -> Iterator[str]:
    if asked.values("authorization") or any(name.startswith(("x-dashscope-", "x-oss-")) for name, _ in asked.headers):
        yield "it is sent with credentials or headers that are not for it"
    if asked.body_size:
        yield "it has a body"


def _moment(text: str | None) -> datetime | None:
    if text is not None and not re.fullmatch(r"\d{14}", text):
        raise ValueError
    return datetime.strptime(text, "%Y%m%d%H%M%S") if text else None


def _body(asked: Asked) -> dict[str, Any]:
    """Of a submit; empty where it is broken, which S4 tells."""
    try:
        body = json.loads(asked.body or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _urls(asked: Asked) -> list[str]:
    given = _body(asked).get("input")
    urls = given.get("file_urls") if isinstance(given, dict) else None
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _parameters(asked: Asked) -> dict[str, Any]:
    given = _body(asked).get("parameters")
    return given if isinstance(given, dict) else {}
