"""Reading the storage's calls: which call a request is, and what it says in its query and headers."""

from dropscribe.sandbox import oss_xml
from dropscribe.sandbox.answers import OssError
from dropscribe.sandbox.calls import Call

LARGEST_XML = 8 * 1024 * 1024
_PUBLIC_QUERY = frozenset(
    [
        "uploads",
        "uploadId",
        "partNumber",
        "delete",
        "prefix",
        "delimiter",
        "marker",
        "max-keys",
        "encoding-type",
        "list-type",
        "continuation-token",
        "start-after",
        "fetch-owner",
        "key-marker",
        "upload-id-marker",
        "max-uploads",
        "part-number-marker",
        "max-parts",
        "bucketInfo",
        "location",
    ]
)


def call_name(call: Call, key: str) -> str:
    """Which of the storage's calls this is; `` for one that the sandbox does not know."""
    if any(name not in _PUBLIC_QUERY and not name.startswith(("x-oss-", "response-")) for name in _plain_query(call)):
        return ""
    return _object_call(call) if key else _bucket_call(call)


def _plain_query(call: Call) -> list[str]:
    """Names in the query; those of V1 signatures pass, to be refused by name."""
    return [name for name, _ in call.query if name not in ("OSSAccessKeyId", "Expires", "Signature", "security-token")]


def _object_call(call: Call) -> str:
    copies, in_upload = "x-oss-copy-source" in call.headers, call.asks("uploadId")
    if call.method == "PUT" and call.asks("partNumber"):
        return "" if copies else "part"
    if call.method == "POST":
        return "initiate" if call.asks("uploads") else "complete" if in_upload else ""
    names = {
        "PUT": "copy" if copies else "put",
        "GET": "list_parts" if in_upload else "get",
        "HEAD": "head",
        "DELETE": "abort" if in_upload else "delete",
    }
    return names.get(call.method, "")


def _bucket_call(call: Call) -> str:
    match call.method:
        case "POST" if call.asks("delete"):
            return "delete_many"
        case "GET" if call.asks("uploads"):
            return "list_uploads"
        case "GET" if call.asks("bucketInfo") or call.asks("location"):
            return "bucket"
        case "GET":
            return "list_objects"
    return ""


def split_path(path: str) -> tuple[str, str]:
    """`/bucket/key` as (bucket, key)."""
    bucket, _, key = path[1:].partition("/")
    return bucket, key


def forbids_overwrite(call: Call) -> bool:
    """Did the caller ask not to replace an object?"""
    return call.headers.get("x-oss-forbid-overwrite", "").lower() == "true"


def content_type(call: Call) -> str:
    """The type that the object is to have."""
    return call.headers.get("content-type") or "application/octet-stream"


def meta(call: Call) -> dict[str, str]:
    """The object's own headers, which come back with it."""
    return {name: value for name, value in call.headers.items() if name.startswith("x-oss-meta-")}


def number(call: Call, name: str, default: int, largest: int) -> int:
    """A number in the query; raises OssError where it is none, or too large."""
    text = call.parameter(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) > largest:
        raise invalid_argument(f"{name} must be an integer between 0 and {largest}.")
    return int(text)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, stop) of `bytes=a-b`, `bytes=a-` or `bytes=-n`; None for all else, which OSS answers whole."""
    unit, _, span = header.partition("=")
    first, dash, last = span.partition("-")
    if unit != "bytes" or not dash or not (first + last).isdigit():
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    return (start, stop) if start < stop else None


async def small_body(call: Call) -> bytes:
    """An XML body; raises OssError for one that is unreasonably large."""
    if call.size is None or call.size > LARGEST_XML:
        raise oss_xml.malformed()
    return await call.body.read()


def invalid_argument(message: str) -> OssError:
    """The refusal of a value."""
    return OssError(400, "InvalidArgument", message, "0017-00000901")


def invalid_digest() -> OssError:
    """The refusal of a body that is not what Content-MD5 says."""
    return OssError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "0017-00000502")
