"""Rules for requests to the object storage."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from contract.asked import STORAGE, Asked
from contract.rules import of_request
from contract.signing import header_faults, signed_url_faults

LARGEST_PUT = 5 * 1024**3
_ENCRYPTION = {f"x-oss-server-side-{name}" for name in ("encryption", "data-encryption", "encryption-key-id")}
_NEW_OBJECT = {"x-oss-forbid-overwrite", "x-oss-storage-class", "x-oss-tagging"} | _ENCRYPTION
_CALLBACK = {"x-oss-callback", "x-oss-callback-var"}
_OF_COPY = {"x-oss-copy-source", "x-oss-metadata-directive", "x-oss-tagging-directive"} | {
    f"x-oss-copy-source-if-{condition}" for condition in ("match", "none-match", "modified-since", "unmodified-since")
}
_ALWAYS = {"x-oss-date", "x-oss-content-sha256", "x-oss-security-token", "x-oss-request-payer"}
HEADERS: Mapping[str, set[str]] = {
    "put": _NEW_OBJECT | _CALLBACK | {"x-oss-object-acl", "x-oss-traffic-limit"},
    "copy": _NEW_OBJECT | _OF_COPY | {"x-oss-object-acl"},
    "initiate": _NEW_OBJECT,
    "part": {"x-oss-traffic-limit"},
    "complete": {"x-oss-forbid-overwrite", "x-oss-complete-all", "x-oss-object-acl"} | _CALLBACK,
    "get": {"x-oss-traffic-limit"},
}
"""Beside those of every request, and x-oss-meta-* where an object is begun."""
PARAMETERS: Mapping[str, set[str]] = {
    "initiate": {"uploads", "encoding-type"},
    "part": {"partNumber", "uploadId"},
    "complete": {"uploadId", "encoding-type"},
    "abort": {"uploadId"},
    "list_parts": {"uploadId", "max-parts", "part-number-marker", "encoding-type"},
    "list_uploads": {
        *("uploads", "delimiter", "prefix", "max-uploads", "key-marker", "upload-id-marker", "encoding-type")
    },
    "list_objects": {
        *("prefix", "delimiter", "marker", "max-keys", "encoding-type"),
        *("list-type", "start-after", "continuation-token", "fetch-owner"),
    },
    "delete_many": {"delete", "encoding-type"},
    "bucket": {"bucketInfo", "location"},
}
ACLS = frozenset({"default", "private", "public-read", "public-read-write"})
_WITH_BODY = frozenset({"put", "part", "complete", "delete_many"})


@of_request("O1", STORAGE)
def names_are_possible(asked: Asked) -> Iterator[str]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", asked.bucket):
        yield f"no bucket can be called {asked.bucket!r}"
    key = unquote_to_bytes(asked.key)
    if key.startswith((b"/", b"\\")) or len(key) > 1023:
        yield "no object can be called so"
    if not re.fullmatch(r"(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*", asked.key):
        yield f"the key is not percent-encoded: {asked.key}"


@of_request("O2", STORAGE)
def it_is_signed_in_one_way_with_v4(asked: Asked) -> Iterator[str]:
    if not asked.is_signed_url:
        given = ("authorization", "x-oss-date", "x-oss-content-sha256")
        yield from header_faults(*(asked.value(name) for name in given))
    elif asked.values("authorization") or asked.values("x-oss-security-token"):
        yield "a signed URL is sent with credentials in its headers as well"


@of_request("O3", STORAGE)
def signed_urls_are_of_form(asked: Asked) -> Iterator[str]:
    if not asked.is_signed_url:
        return
    if asked.call != "get":
        yield f"a URL was signed for {asked.call}; dropscribe signs them to be read"
    yield from signed_url_faults(asked.path, asked.query)


@of_request("O4", STORAGE)
def headers_are_known_to_the_call(asked: Asked) -> Iterator[str]:
    known = _ALWAYS | HEADERS.get(asked.call, set())
    begins = asked.call in ("put", "copy", "initiate")
    for name in asked.headers_of_oss:
        if name not in known and not (begins and name.startswith("x-oss-meta-")):
            yield f"{name} is not of this call"


@of_request("O5", STORAGE)
def header_values_are_possible(asked: Asked) -> Iterator[str]:
    for name, possible in (("x-oss-object-acl", ACLS), ("x-oss-forbid-overwrite", {"true", "false"})):
        if wrong := set(asked.values(name)) - possible:
            yield f"{name} is {sorted(wrong)}"


@of_request("O6", STORAGE)
def parameters_are_known_to_the_call(asked: Asked) -> Iterator[str]:
    if asked.is_signed_url:
        return
    if unknown := set(asked.parameters) - PARAMETERS.get(asked.call, set()):
        yield f"unknown: {sorted(unknown)}"
    if len(asked.parameters) != len(set(asked.parameters)):
        yield "it says one thing twice"
    if asked.parameter("encoding-type") not in (None, "url"):
        yield f"encoding-type is {asked.parameter('encoding-type')}"


@of_request("O7", ["part", "list_parts", "list_uploads", "list_objects"])
def numbers_are_in_range(asked: Asked) -> Iterator[str]:
    ranges = {"partNumber": (1, 10_000), "part-number-marker": (0, 10_000)}
    ranges |= dict.fromkeys(("max-parts", "max-uploads", "max-keys"), (1, 1000))
    for name, (least, most) in ranges.items():
        number = asked.parameter(name)
        if number and not (number.isascii() and number.isdigit() and least <= int(number) <= most):
            yield f"{name} is {number}"


@of_request("O8", ["part", "complete", "abort", "list_parts"])
def an_upload_is_named(asked: Asked) -> Iterator[str]:
    if not asked.parameter("uploadId"):
        yield "uploadId is empty"


@of_request("O9", ["put", "part"])
def contents_are_measured_and_not_too_large(asked: Asked) -> Iterator[str]:
    length = asked.value("content-length") or ""
    if not length.isdigit() or int(length) > LARGEST_PUT:
        yield f"Content-Length is {length or 'missing'}"


@of_request("O10", ["put", "initiate"])
def an_object_has_a_type(asked: Asked) -> Iterator[str]:
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+(;.*)?", asked.value("content-type") or ""):
        yield f"Content-Type is {asked.values('content-type')}"


@of_request("O11", STORAGE - _WITH_BODY)
def calls_without_a_body_have_none(asked: Asked) -> Iterator[str]:
    if asked.body_size:
        yield f"it has a body of {asked.body_size} bytes"


@of_request("O12", ["complete"])
def parts_are_listed_in_order(asked: Asked) -> Iterator[str]:
    if asked.body is None:
        return
    root = _xml(asked.body)
    if root is None or root.tag != "CompleteMultipartUpload" or {child.tag for child in root} != {"Part"}:
        yield "its body is not a list of parts"
        return
    numbers = [part.findtext("PartNumber") or "" for part in root]
    if not all(n.isdigit() and 1 <= int(n) <= 10_000 for n in numbers) or sorted({*map(int, numbers)}) != [
        *map(int, numbers)
    ]:
        yield f"its parts are {numbers}"
    if not all(re.fullmatch(r'"[0-9A-Fa-f]{32}"', part.findtext("ETag") or "") for part in root):
        yield "an ETag is not a quoted MD5"


@of_request("O13", ["delete_many"])
def many_are_deleted_by_name_and_proved(asked: Asked) -> Iterator[str]:
    if asked.value("content-md5") is None:
        yield "Content-MD5 is missing"
    if asked.body is None:
        return
    root = _xml(asked.body)
    if root is None or root.tag != "Delete" or {child.tag for child in root} - {"Quiet", "Object"}:
        yield "its body is not a list of objects"
        return
    keys = [each.findtext("Key") for each in root.iter("Object")]
    if not 1 <= len(keys) <= 1000 or not all(keys) or root.findtext("Quiet") not in (None, "true", "false"):
        yield f"it names {len(keys)} objects"


def _xml(body: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
