"""What the storage's error codes mean for the house: a table that anybody may edit, and the function that reads it.

Everything here is about account, network or service (scope `storage`) except the last rows, which refuse one file.
"""

import os
from dataclasses import dataclass
from typing import Literal

from dropscribe.error_codes import without_urls
from dropscribe.errors import OutOfOrder, Refused

Meaning = Literal["settings", "passes", "file"]


@dataclass(frozen=True, slots=True)
class StorageRow:
    codes: tuple[str, ...]
    """OSS error codes, or EC numbers, compared without regard to case."""
    means: Meaning
    remedy: str


_KEYS = "Check storage.access_key_id, access_key_secret and session_token."
_RIGHTS = (
    "Grant the key oss:PutObject, oss:GetObject, oss:DeleteObject, oss:AbortMultipartUpload and oss:ListParts "
    "on the bucket's prefix."
)

STORAGE_CODES: tuple[StorageRow, ...] = (
    StorageRow(
        ("PublicEndpointForbidden", "0048-00000401", "SecondLevelDomainForbidden"),
        "settings",
        "This account may not use OSS's own domain: map a domain of yours to the bucket, set storage.endpoint and "
        "storage.public_endpoint to it and storage.cname to true (or use a bucket outside mainland China).",
    ),
    StorageRow(
        ("RequestTimeTooSkewed",), "settings", "Set this machine's clock: it is more than 15 minutes off (use NTP)."
    ),
    StorageRow(
        ("SecurityTokenExpired", "InvalidSecurityToken"),
        "settings",
        "The temporary credentials have expired: renew storage.session_token with its keys, or use storage.ram_role.",
    ),
    StorageRow(("InvalidAccessKeyId", "SignatureDoesNotMatch", "0002-00000080"), "settings", _KEYS),
    StorageRow(("UserDisable",), "settings", "The account is disabled or in arrears: see the Alibaba Cloud console."),
    StorageRow(("NoSuchBucket", "InvalidBucketName"), "settings", "Check storage.bucket and storage.region."),
    StorageRow(
        ("TemporaryRedirect", "AccessDeniedWrongEndpoint", "WrongSigningRegion"),
        "settings",
        "The bucket is in another region: check storage.region and storage.endpoint.",
    ),
    StorageRow(("AccessDenied",), "settings", _RIGHTS),
    StorageRow(("RequestTimeout", "ServiceBusy", "InternalError", "DownloadTrafficRateLimitExceeded"), "passes", ""),
    StorageRow(("QpsLimitExceeded", "UploadTrafficRateLimitExceeded", "TotalQpsLimitExceeded"), "passes", ""),
    StorageRow(("InvalidObjectName",), "file", "Check storage.prefix: object names may not hold such characters."),
    StorageRow(("EntityTooLarge",), "file", "The storage takes no file of this size: cut the recording."),
)

_PASSING_STATUS = frozenset({408, 429})
_FIX_PASSING = "The storage is asked again by itself."
_FIX_UNKNOWN = "Look the code up in the documentation of OSS's error responses."


def classify_storage(
    status: int, code: str, ec: str, message: str, request_id: str | None = None
) -> OutOfOrder | Refused:
    """The exception to raise for an error answer of the storage. `ec` is OSS's finer error number; it may be empty."""
    row = _find(code, ec, message)
    name = code or f"HTTP {status}"
    text = without_urls(message) or f"The storage answered with HTTP status {status} and gave no reason."
    if row is not None and row.means == "file":
        return Refused(name, text, row.remedy, request_id)
    return OutOfOrder("storage", name, text, _remedy(row, status), request_id=request_id)


def passes_soon(status: int, code: str) -> bool:
    """Whether the same request is worth repeating within seconds."""
    row = _find(code, "", "")
    return status >= 500 or status in _PASSING_STATUS or (row is not None and row.means == "passes")


def _find(code: str, ec: str, message: str) -> StorageRow | None:
    if code == "AccessDenied" and "specified endpoint" in message:
        code = "AccessDeniedWrongEndpoint"  # OSS says so in the message only
    if code == "InvalidArgument" and "signing region" in message:
        code = "WrongSigningRegion"  # as above
    wanted = {code.lower(), ec.lower()} - {""}
    return next((row for row in STORAGE_CODES if any(each.lower() in wanted for each in row.codes)), None)


def _remedy(row: StorageRow | None, status: int) -> str:
    if row is not None and row.remedy:
        return row.remedy
    if status >= 500 or status in _PASSING_STATUS or row is not None:
        return _FIX_PASSING
    return _RIGHTS if status == 403 else _FIX_UNKNOWN


# By name, for what does not act imports no library of the network; the first that fits the class or one of its bases.
_NETWORK: tuple[tuple[str, str, str], ...] = (
    ("Redirected", "it redirects elsewhere", "Check storage.region, endpoint and public_endpoint."),
    ("SSLError", "TLS failed", "Check the endpoint, this machine's clock and its CA certificates."),
    ("ProxyError", "the proxy refused", "Check the proxy in this machine's environment."),
    ("ConnectTimeoutError", "it accepted no connection in time", "Check network and firewall."),
    ("TimeoutError", "it did not answer in time", "Check the network."),
)


def unreachable(error: BaseException) -> OutOfOrder:
    """A fault of the network, told without the URL that the library's own words hold."""
    names = {each.__name__ for each in type(error).__mro__}
    # urllib3 counts a refused connection among those that were not made in time; the system's own words say more.
    rows = () if "NewConnectionError" in names else _NETWORK
    known = next(((what, remedy) for name, what, remedy in rows if name in names), None)
    what, remedy = known or (_reason(error), "Check network, DNS and storage.endpoint.")
    return OutOfOrder("storage", "Unreachable", f"the storage cannot be reached: {what}", remedy)


def _reason(error: BaseException) -> str:
    """The system's own words, from the innermost error."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno:
            return os.strerror(inner.errno) if inner.errno > 0 else "its name cannot be resolved"
        inner = inner.__cause__ or inner.__context__
    return "the connection was cut"


def unreadable() -> OutOfOrder:
    return OutOfOrder(
        "storage",
        "UnreadableAnswer",
        "what answers at the storage's endpoint does not speak like OSS",
        "Check storage.endpoint, and whether a proxy or a log-in page stands between.",
    )


def unusable(reason: str) -> OutOfOrder:
    return OutOfOrder("storage", "ClientError", without_urls(reason), "Check the storage section of the configuration.")


def no_credentials() -> OutOfOrder:
    return OutOfOrder(
        "storage",
        "NoCredentials",
        "the machine's metadata service gave no credentials for the role in storage.ram_role",
        "Check that this is an ECS instance and that the role is attached to it.",
    )


def no_checksum() -> OutOfOrder:
    return OutOfOrder(
        "storage",
        "NoChecksum",
        "the storage gives no checksum (x-oss-hash-crc64ecma) of what it stored",
        "Without it nobody can tell whether the upload is what was taken: use OSS itself, or a stand-in that sends "
        "this header, and look for a proxy that removes it.",
    )


def not_deleted(left: int, of: int) -> OutOfOrder:
    return OutOfOrder(
        "storage",
        "DeleteIncomplete",
        f"the storage did not delete {left} of {of} objects",
        "Check that the key may delete (oss:DeleteObject) and that no retention rule locks the bucket.",
    )
