"""Rules for what the services answer: the sandbox is held to the same page as the daemon."""

import base64
import re
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

from contract.asked import STORAGE, STUDIO, Asked
from contract.rules import of_answer
from contract.schemas import complaints
from dropscribe.sandbox.overheard import Exchange

SPOILT = frozenset({"truncate", "not_json", "body", "status", "no_results", "missing"})
"""Faults whose very purpose it is to answer what no document promises."""
SUCCESS: Mapping[str, frozenset[int]] = {
    "delete": frozenset({204}),
    "abort": frozenset({204}),
    "get": frozenset({200, 206}),
}
ROOTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "initiate": ("InitiateMultipartUploadResult", ("Bucket", "Key", "UploadId")),
    "complete": ("CompleteMultipartUploadResult", ("Location", "Bucket", "Key", "ETag")),
    "list_parts": ("ListPartsResult", ("Bucket", "Key", "UploadId", "MaxParts", "IsTruncated")),
    "list_uploads": ("ListMultipartUploadsResult", ("Bucket", "MaxUploads", "IsTruncated")),
    "list_objects": ("ListBucketResult", ("Name", "MaxKeys", "IsTruncated")),
    "delete_many": ("DeleteResult", ()),
}
"""The root of an answer, and what it holds at least."""
_JSON: Mapping[str, str] = {
    "submit": "accepted",
    "query": "task",
    "list": "list",
    "cancel": "cancelled",
    "result": "document",
}


@of_answer("A1")
def an_answer_has_a_time_and_a_number(asked: Asked, exchange: Exchange) -> Iterator[str]:
    headers = _headers(exchange)
    try:
        parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        yield f"Date is {headers.get('date')}"
    if not headers.get("x-request-id" if asked.call in STUDIO else "x-oss-request-id"):
        yield "it carries no request id"


@of_answer("A2", STUDIO)
def model_studio_answers_in_json(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if not _headers(exchange).get("content-type", "").startswith("application/json"):
        yield f"Content-Type is {_headers(exchange).get('content-type')}"


@of_answer("A3", STUDIO | {"result"})
def answers_have_their_documented_form(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if exchange.status == 200 and exchange.answer is not None:
        yield from complaints(_JSON[asked.call], exchange.answer)


@of_answer("A4", STUDIO)
def refusals_are_flat(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if exchange.status == 200:
        return
    if not 400 <= (exchange.status or 0) < 600:
        yield f"status {exchange.status}"
    yield from complaints("refusal", exchange.answer or b"")


@of_answer("A5", STORAGE)
def the_storages_statuses_are_those_of_the_call(asked: Asked, exchange: Exchange) -> Iterator[str]:
    status = exchange.status or 0
    if status < 300 and status not in SUCCESS.get(asked.call, frozenset({200})):
        yield f"status {status}"
    if 300 <= status < 400:
        yield f"it redirects with {status}"


@of_answer("A6", STORAGE | {"result"})
def the_storages_refusals_are_xml_or_for_head_in_a_header(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if (exchange.status or 0) < 300:
        return
    body = exchange.answer
    if asked.method == "HEAD":
        body = base64.b64decode(_headers(exchange).get("x-oss-err", ""))
    root = _xml(body or b"")
    if root is None or root.tag != "Error" or not all(root.findtext(tag) for tag in ("Code", "RequestId", "HostId")):
        yield "it is no Error with Code, RequestId and HostId"


@of_answer("A7", ["put", "part", "head", "get"])
def contents_have_their_marks(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if (exchange.status or 0) >= 300:
        return
    headers = _headers(exchange)
    if not re.fullmatch(r'"[0-9A-F]{32}(-\d+)?"', headers.get("etag", "")):
        yield f"ETag is {headers.get('etag')}"
    if not headers.get("x-oss-hash-crc64ecma", "").isdigit():
        yield f"x-oss-hash-crc64ecma is {headers.get('x-oss-hash-crc64ecma')}"


@of_answer("A8", ROOTS)
def the_storage_answers_in_its_xml(asked: Asked, exchange: Exchange) -> Iterator[str]:
    if exchange.status != 200 or (asked.call == "delete_many" and not exchange.answer):
        return
    root, (name, held) = _xml(exchange.answer or b""), ROOTS[asked.call]
    if root is None or root.tag != name:
        yield f"it is no {name}"
    elif missing := [tag for tag in held if root.find(tag) is None]:
        yield f"it lacks {missing}"


def _headers(exchange: Exchange) -> dict[str, str]:
    return {name.lower(): value for name, value in exchange.answer_headers.items()}


def _xml(body: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
