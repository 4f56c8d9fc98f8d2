"""A request as docs/protocol.md sees it: taken apart from its bytes, and named by its method, path and sub-resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from dropscribe.sandbox.overheard import Exchange

SUBMIT = "/api/v1/services/audio/asr/transcription"
TASKS = "/api/v1/tasks"
RESULTS = "/results/"
"""Where the sandbox stands in for the host of results, which has no path in common with anything else."""

STUDIO = frozenset({"submit", "query", "list", "cancel"})
OBJECT_CALLS = frozenset(
    {"put", "copy", "get", "head", "delete", "initiate", "part", "complete", "abort", "list_parts"}
)
BUCKET_CALLS = frozenset({"delete_many", "list_uploads", "list_objects", "bucket"})
STORAGE = OBJECT_CALLS | BUCKET_CALLS


@dataclass(frozen=True)
class Asked:
    """`call` is empty for what no document knows. `query` is decoded, in order; `key` only for the storage's calls."""

    call: str
    method: str
    path: str
    raw_query: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    body_size: int | None
    body_md5: bytes | None

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        """The only value of a header; None where there is none, or several."""
        found = self.values(name)
        return found[0] if len(found) == 1 else None

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    @property
    def parameters(self) -> list[str]:
        return [key for key, _ in self.query]

    @property
    def headers_of_oss(self) -> list[str]:
        return [key for key, _ in self.headers if key.startswith("x-oss-")]

    @property
    def bucket(self) -> str:
        return self.path[1:].partition("/")[0]

    @property
    def key(self) -> str:
        return self.path[1:].partition("/")[2]

    @property
    def is_signed_url(self) -> bool:
        return any(name.lower() in ("x-oss-signature", "signature") for name in self.parameters)


def asked(exchange: Exchange) -> Asked:
    """The request of an exchange."""
    path, _, raw_query = exchange.target.partition("?")
    query = split_query(raw_query)
    headers = tuple((key.lower(), value) for key, value in exchange.headers)
    call = _call(exchange.method, path, [name for name, _ in query])
    if call == "put" and any(name == "x-oss-copy-source" for name, _ in headers):
        call = "copy"
    whole = (exchange.body, exchange.body_size, exchange.body_md5)
    return Asked(call, exchange.method, path, raw_query, query, headers, *whole)


def split_query(raw: str) -> tuple[tuple[str, str], ...]:
    pairs = (part.partition("=") for part in raw.split("&") if part)
    return tuple((unquote(name), unquote(value)) for name, _, value in pairs)


def _call(method: str, path: str, parameters: Sequence[str]) -> str:
    if path.startswith("/api/"):
        return _studio_call(method, path)
    if path.startswith(RESULTS):
        return "result" if method == "GET" else ""
    bucket, _, key = path[1:].partition("/")
    return (_object_call if key else _bucket_call)(method, frozenset(parameters)) if bucket else ""


def _studio_call(method: str, path: str) -> str:
    if path == SUBMIT:
        return "submit" if method == "POST" else ""
    match path.removeprefix(TASKS).split("/"):
        case [""] | ["", ""]:
            return "list" if method == "GET" else ""
        case ["", _]:
            return "query" if method in ("GET", "POST") else ""
        case ["", _, "cancel"]:
            return "cancel" if method == "POST" else ""
    return ""


def _object_call(method: str, parameters: frozenset[str]) -> str:
    of_upload = "uploadId" in parameters
    if method == "PUT":
        return "part" if of_upload and "partNumber" in parameters else "" if of_upload else "put"
    if method == "POST":
        return "initiate" if "uploads" in parameters else "complete" if of_upload else ""
    if method == "DELETE":
        return "abort" if of_upload else "delete"
    if method == "GET":
        return "list_parts" if of_upload else "get"
    return "head" if method == "HEAD" else ""


def _bucket_call(method: str, parameters: frozenset[str]) -> str:
    if method == "POST":
        return "delete_many" if "delete" in parameters else ""
    if method != "GET":
        return ""
    if "uploads" in parameters:
        return "list_uploads"
    return "bucket" if parameters & {"bucketInfo", "location"} else "list_objects"
