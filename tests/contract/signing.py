"""The form of V4 signatures. Whether they are right, the sandbox reckons out; here it counts how they are written."""

import re
from collections.abc import Iterator, Sequence

ALGORITHM = "OSS4-HMAC-SHA256"
LONGEST = 604_800
_SCOPE = re.compile(r"[^/\s]+/(?P<day>\d{8})/(?P<region>[a-z]{2}-[a-z0-9-]+)/oss/aliyun_v4_request")
_DATE = re.compile(r"\d{8}T\d{6}Z")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_OF_URL = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature")
_MAY_BE_IN_URL = frozenset({"x-oss-security-token", "x-oss-additional-headers"})
_HEADER = re.compile(
    rf"{ALGORITHM} Credential=(?P<scope>[^,\s]+), ?(?:AdditionalHeaders=(?P<more>[a-z0-9;-]+), ?)?"
    r"Signature=(?P<signature>[^,\s]+)"
)


def header_faults(authorization: str | None, date: str | None, content: str | None) -> Iterator[str]:
    """What is wrong with Authorization, x-oss-date and x-oss-content-sha256 of one request."""
    parts = _HEADER.fullmatch(authorization or "")
    if parts is None:
        yield "Authorization is not of the form of V4"
        return
    if content != "UNSIGNED-PAYLOAD":
        yield f"x-oss-content-sha256 is {content}"
    yield from _common_faults(parts["scope"], date or "", parts["signature"])
    names = (parts["more"] or "").split(";")
    if names != sorted(set(names)):
        yield "AdditionalHeaders are not in order"


def signed_url_faults(path: str, query: Sequence[tuple[str, str]]) -> Iterator[str]:
    """What is wrong with a signed URL; `path` as it is written."""
    given = dict(query)
    names = [name for name, _ in query]
    if missing := [name for name in _OF_URL if names.count(name) != 1]:
        yield f"a signed URL lacks, or doubles, {missing}"
        return
    if foreign := {name for name in names if name not in _OF_URL} - _MAY_BE_IN_URL:
        yield f"a signed URL holds {sorted(foreign)}"
    if given["x-oss-signature-version"] != ALGORITHM:
        yield f"signed with {given['x-oss-signature-version']}"
    expires = given["x-oss-expires"]
    if not (expires.isascii() and expires.isdigit() and 1 <= int(expires) <= LONGEST):
        yield f"valid for {expires} seconds"
    if "%2F" in path.upper():
        yield "slashes in the path are escaped"
    yield from _common_faults(given["x-oss-credential"], given["x-oss-date"], given["x-oss-signature"])


def _common_faults(scope: str, date: str, signature: str) -> Iterator[str]:
    parts = _SCOPE.fullmatch(scope)
    if parts is None:
        yield "Credential is not <id>/<day>/<region>/oss/aliyun_v4_request"
    elif parts["region"].startswith("oss-"):
        yield f"the region is {parts['region']}: regions have no oss- before them"
    elif parts["day"] != date[:8]:
        yield "Credential and x-oss-date name different days"
    if not _DATE.fullmatch(date):
        yield f"x-oss-date is {date}"
    if not _SIGNATURE.fullmatch(signature):
        yield "Signature is not 64 lower-case hex digits"
