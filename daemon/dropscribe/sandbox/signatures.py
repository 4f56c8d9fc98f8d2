"""OSS signature version 4, verified for real: in the Authorization header or in the query of a signed URL."""

import calendar
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from dropscribe.sandbox.answers import OssError
from dropscribe.sandbox.settings import SandboxSettings

ALGORITHM = "OSS4-HMAC-SHA256"
SKEW = 15 * 60
LONGEST_URL = 7 * 24 * 3600
_UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What a signature covers. `resource` is `/bucket/key`, decoded; names of headers are lower case."""

    method: str
    resource: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Claim:
    credential: str
    signature: str
    date: str
    additional: tuple[str, ...]
    expires: int | None


def verify(call: SignedCall, settings: SandboxSettings, now: float) -> None:
    """Return if the call is signed rightly; raise OssError as OSS would refuse it."""
    query = dict(call.query)
    claim = _url_claim(query) if _is_signed_url(query) else _header_claim(call.headers)
    key_id, day, region = _credential_parts(claim)
    if key_id != settings.access_key_id:
        raise OssError(
            403,
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
            "0002-00000902",
        )
    _check_token(query.get("x-oss-security-token") or call.headers.get("x-oss-security-token"), settings)
    _check_region(region, settings.region)
    _check_time(claim, day, now)
    expected = _signature(call, claim, day, settings)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise OssError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
            "0002-00000201",
        )


def _is_signed_url(query: Mapping[str, str]) -> bool:
    if "Signature" in query or "OSSAccessKeyId" in query:
        raise _version_refused()
    return "x-oss-signature" in query or "x-oss-signature-version" in query


def _version_refused() -> OssError:
    message = "The signature version used by the request is not supported: use signature version 4."
    return OssError(403, "AccessDenied", message, "0002-00000080")


def _url_claim(query: Mapping[str, str]) -> _Claim:
    if query.get("x-oss-signature-version") != ALGORITHM:
        raise _version_refused()
    try:
        expires = int(query["x-oss-expires"])
        credential, signature, date = (query[f"x-oss-{n}"] for n in ("credential", "signature", "date"))
    except (KeyError, ValueError) as error:
        raise OssError(400, "AuthorizationQueryParametersError", "A part of the signed URL is missing.") from error
    if not 1 <= expires <= LONGEST_URL:
        message = "x-oss-expires must be between 1 and 604800 seconds."
        raise OssError(400, "AuthorizationQueryParametersError", message, "0002-00000232")
    return _Claim(credential, signature, date, _names(query.get("x-oss-additional-headers", "")), expires)


def _header_claim(headers: Mapping[str, str]) -> _Claim:
    authorization = headers.get("authorization")
    if authorization is None:
        raise OssError(
            403, "AccessDenied", "You have no right to access this object because of bucket acl.", "0003-00000001"
        )
    if authorization.startswith(("OSS ", "OSS2 ")):
        raise _version_refused()
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme != ALGORITHM or "Credential" not in parts or "Signature" not in parts:
        raise OssError(400, "InvalidArgument", "The Authorization header is malformed.", "0002-00000203")
    if headers.get("x-oss-content-sha256") != _UNSIGNED:
        raise OssError(400, "InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.", "0002-00000230")
    date, additional = headers.get("x-oss-date", ""), _names(parts.get("AdditionalHeaders", ""))
    return _Claim(parts["Credential"], parts["Signature"], date, additional, None)


def _names(joined: str) -> tuple[str, ...]:
    return tuple(name for name in joined.lower().split(";") if name)


def _credential_parts(claim: _Claim) -> tuple[str, str, str]:
    match claim.credential.rsplit("/", 4):
        case [key_id, day, region, "oss", "aliyun_v4_request"] if day == claim.date[:8]:
            return key_id, day, region
    raise OssError(400, "InvalidArgument", "The Credential of the signature is malformed.", "0002-00000203")


def _check_token(token: str | None, settings: SandboxSettings) -> None:
    if token != settings.session_token:
        message = "The security token you provided is invalid."
        raise OssError(403, "InvalidAccessKeyId", message, "0002-00000805")


def _check_region(signed: str, ours: str) -> None:
    if signed != ours:
        message = f"Invalid signing region in Authorization header: {signed}. This bucket is in {ours}."
        raise OssError(400, "InvalidArgument", message, "0002-00000218")


def _check_time(claim: _Claim, day: str, now: float) -> None:
    signed_at = _parsed(claim.date)
    if claim.expires is None:
        if abs(now - signed_at) > SKEW:
            message = "The difference between the request time and the current time is too large."
            raise OssError(403, "RequestTimeTooSkewed", message, "0002-00000504")
    elif now < signed_at - SKEW:
        raise OssError(403, "AccessDenied", "Request is not valid yet.", "0002-00000235")
    elif now > signed_at + claim.expires:
        raise OssError(403, "AccessDenied", "Request has expired.", "0002-00000069")


@lru_cache(maxsize=64)
def _parsed(date: str) -> int:
    try:
        return calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError as error:
        raise OssError(403, "AccessDenied", "x-oss-date is not an ISO 8601 time.", "0002-00000505") from error


def _signature(call: SignedCall, claim: _Claim, day: str, settings: SandboxSettings) -> str:
    request_hash = hashlib.sha256(_canonical(call, claim)).hexdigest()
    scope = f"{day}/{settings.region}/oss/aliyun_v4_request"
    text = f"{ALGORITHM}\n{claim.date}\n{scope}\n{request_hash}"
    key = _signing_key(settings.access_key_secret, day, settings.region)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"aliyun_v4{secret}".encode()
    for part in (day, region, "oss", "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical(call: SignedCall, claim: _Claim) -> bytes:
    covered = (h for h in call.headers if _is_covered(h, claim.additional))
    headers = "".join(f"{name}:{call.headers[name]}\n" for name in sorted(covered))
    lines = (
        call.method,
        quote(call.resource, safe="/~", errors="surrogateescape"),
        _canonical_query(call.query),
        headers,
        ";".join(sorted(claim.additional)),
        call.headers.get("x-oss-content-sha256", _UNSIGNED),
    )
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _is_covered(header: str, additional: tuple[str, ...]) -> bool:
    return header.startswith("x-oss-") or header in ("content-type", "content-md5") or header in additional


def _canonical_query(query: Iterable[tuple[str, str]]) -> str:
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in query if k != "x-oss-signature")
    return "&".join(f"{k}={v}" if v else k for k, v in pairs)
