"""The HTTP face of the object storage: path-style, V4 signatures only, private objects only."""

import hashlib
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from urllib.parse import unquote

from dropscribe.sandbox import oss_xml
from dropscribe.sandbox.answers import XML, Answer, OssError
from dropscribe.sandbox.blobs import Blob, Piece, content_md5, one_piece
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.clock import SandboxClock
from dropscribe.sandbox.objects import Bucket, StoredObject, StoredPart, page_of
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.signatures import SignedCall, verify

LARGEST_PUT = 5 * 1024**3
LARGEST_XML = 8 * 1024 * 1024
LONGEST_KEY = 1023
MOST_PARTS = 10_000
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


class ObjectStorage:
    """Answers the storage's calls; raises OssError where OSS would refuse."""

    def __init__(self, bucket: Bucket, settings: SandboxSettings, clock: SandboxClock) -> None:
        self.bucket, self.settings, self._clock = bucket, settings, clock
        self._handlers: dict[str, Callable[[Call, str], Awaitable[Answer]]] = {
            "put": self._put,
            "get": self._get,
            "head": self._head,
            "delete": self._delete,
            "copy": self._copy,
            "delete_many": self._delete_many,
            "initiate": self._initiate,
            "part": self._part,
            "complete": self._complete,
            "abort": self._abort,
            "list_parts": self._list_parts,
            "list_uploads": self._list_uploads,
            "list_objects": self._list_objects,
            "bucket": self._describe,
        }

    async def handle(self, call: Call, name: str) -> Answer:
        """One call, from signature to answer."""
        bucket, key = split_path(call.path)
        resource = f"/{bucket}/{key}" if bucket else "/"
        verify(SignedCall(call.method, resource, call.query, call.headers), self.settings, self._clock.now())
        if bucket != self.bucket.name:
            raise OssError(404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101")
        if name not in self._handlers:
            raise OssError(501, "NotImplemented", "The sandbox does not offer this call.", "0017-00000902")
        if len(key.encode("utf-8", "surrogateescape")) > LONGEST_KEY or key.startswith(("/", "\\")):
            raise OssError(400, "InvalidObjectName", "The specified object is not valid.", "0016-00000203")
        return await self._handlers[name](call, key)

    async def _put(self, call: Call, key: str) -> Answer:
        self.bucket.may_write(key, _forbids_overwrite(call))
        piece = await self._taken(call)
        stored = StoredObject(one_piece(piece), self._clock.now(), _content_type(call), _meta(call))
        self._store(call, key, stored)
        return Answer(200, b"", _identity(stored.blob), XML)

    def _store(self, call: Call, key: str, stored: StoredObject) -> None:
        """With a second look at forbid-overwrite: another put may have been faster."""
        try:
            self.bucket.may_write(key, _forbids_overwrite(call))
        except OssError:
            self.bucket.blobs.drop(stored.blob)
            raise
        self.bucket.store(key, stored)

    async def _taken(self, call: Call) -> Piece:
        if call.size is None and call.headers.get("transfer-encoding", "").lower() != "chunked":
            raise OssError(
                411, "MissingContentLength", "You must provide the Content-Length HTTP header.", "0017-00000403"
            )
        if call.size is not None and call.size > LARGEST_PUT:
            raise OssError(
                400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.", "0026-00000501"
            )
        piece = await self.bucket.blobs.take(call.body, call.size)
        if call.headers.get("content-md5") not in (None, content_md5(piece.md5)):
            self.bucket.blobs.drop_piece(piece)
            raise _invalid_digest()
        return piece

    async def _get(self, call: Call, key: str) -> Answer:
        stored = self.bucket.find(key)
        headers = _object_headers(stored)
        wanted = _range(call.headers.get("range", ""), stored.blob.size)
        if wanted is None:
            return Answer(200, stored.blob, headers, stored.content_type)
        start, stop = wanted
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.blob.size}"
        return Answer(206, stored.blob, headers, stored.content_type, start, stop)

    async def _head(self, call: Call, key: str) -> Answer:
        return await self._get(call, key)

    async def _delete(self, call: Call, key: str) -> Answer:
        self.bucket.delete(key)
        return Answer(204, b"", {}, XML)

    async def _copy(self, call: Call, key: str) -> Answer:
        source_bucket, source_key = split_path("/" + unquote(call.headers["x-oss-copy-source"]).lstrip("/"))
        if source_bucket != self.bucket.name:
            raise OssError(404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101")
        source = self.bucket.find(source_key)
        blob = one_piece(await self.bucket.blobs.copy(source.blob))
        copied = StoredObject(blob, self._clock.now(), source.content_type, source.meta)
        self._store(call, key, copied)
        return Answer(200, oss_xml.copied_xml(copied), _identity(blob), XML)

    async def _delete_many(self, call: Call, key: str) -> Answer:
        body = await _small_body(call)
        given = call.headers.get("content-md5")
        if given is None:
            raise OssError(400, "MissingArgument", "Missing some required arguments: Content-MD5.", "0017-00000503")
        if given != content_md5(hashlib.md5(body, usedforsecurity=False).digest()):
            raise _invalid_digest()
        keys, quiet = oss_xml.keys_to_delete(body)
        for doomed in keys:
            self.bucket.delete(doomed)
        return Answer(200, b"" if quiet else oss_xml.deleted_xml(keys, call.parameter("encoding-type")), {}, XML)

    async def _initiate(self, call: Call, key: str) -> Answer:
        self.bucket.may_write(key, _forbids_overwrite(call))
        upload = self.bucket.initiate(key, self._clock.now(), _content_type(call), _meta(call))
        return Answer(200, oss_xml.initiated_xml(self.bucket, upload, call.parameter("encoding-type")), {}, XML)

    async def _part(self, call: Call, key: str) -> Answer:
        number = _number(call, "partNumber", 0, MOST_PARTS)
        if number < 1:
            raise _invalid_argument("Part number must be an integer between 1 and 10000.")
        self.bucket.upload(key, call.parameter("uploadId"))
        piece = await self._taken(call)
        try:
            upload = self.bucket.upload(key, call.parameter("uploadId"))
        except OssError:
            self.bucket.blobs.drop_piece(piece)
            raise
        self.bucket.add_part(upload, number, StoredPart(piece, self._clock.now()))
        return Answer(200, b"", _identity(one_piece(piece)), XML)

    async def _complete(self, call: Call, key: str) -> Answer:
        listed = oss_xml.listed_parts(await _small_body(call))
        upload = self.bucket.upload(key, call.parameter("uploadId"))
        self.bucket.may_write(key, _forbids_overwrite(call))
        stored = self.bucket.complete(upload, listed, self.settings.smallest_part, self._clock.now())
        body = oss_xml.completed_xml(self.bucket, key, stored, call.parameter("encoding-type"))
        return Answer(200, body, _identity(stored.blob), XML)

    async def _abort(self, call: Call, key: str) -> Answer:
        self.bucket.abort(self.bucket.upload(key, call.parameter("uploadId")))
        return Answer(204, b"", {}, XML)

    async def _list_parts(self, call: Call, key: str) -> Answer:
        upload = self.bucket.upload(key, call.parameter("uploadId"))
        after = _number(call, "part-number-marker", 0, MOST_PARTS)
        return Answer(
            200, oss_xml.parts_xml(self.bucket, upload, after, _number(call, "max-parts", 1000, 1000)), {}, XML
        )

    async def _list_uploads(self, call: Call, key: str) -> Answer:
        after = (call.parameter("key-marker"), call.parameter("upload-id-marker"))
        limit, encoding = _number(call, "max-uploads", 1000, 1000), call.parameter("encoding-type")
        return Answer(200, oss_xml.uploads_xml(self.bucket, call.parameter("prefix"), after, limit, encoding), {}, XML)

    async def _list_objects(self, call: Call, key: str) -> Answer:
        second = call.parameter("list-type") == "2"
        marker, next_tag = ("continuation-token", "NextContinuationToken") if second else ("marker", "NextMarker")
        after = call.parameter(marker) or (call.parameter("start-after") if second else "")
        limit = _number(call, "max-keys", 100, 1000)
        prefix, delimiter = call.parameter("prefix"), call.parameter("delimiter")
        page = page_of(self.bucket.objects, prefix, delimiter, after, limit)
        asked = [("Prefix", prefix), ("Delimiter", delimiter), ("MaxKeys", str(limit))]
        asked.append(("KeyCount", str(len(page.keys) + len(page.prefixes))) if second else ("Marker", after))
        encoding = call.parameter("encoding-type")
        return Answer(200, oss_xml.objects_xml(self.bucket, page, asked, next_tag, encoding), {}, XML)

    async def _describe(self, call: Call, key: str) -> Answer:
        if call.asks("location"):
            return Answer(200, oss_xml.location_xml(self.settings.region), {}, XML)
        return Answer(200, oss_xml.bucket_xml(self.bucket, self.settings.region), {}, XML)


def _identity(blob: Blob) -> dict[str, str]:
    return {"ETag": f'"{blob.etag}"', "x-oss-hash-crc64ecma": str(blob.crc64)}


def _object_headers(stored: StoredObject) -> dict[str, str]:
    return {
        **_identity(stored.blob),
        **stored.meta,
        "Last-Modified": formatdate(stored.modified, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-oss-object-type": stored.kind,
        "x-oss-storage-class": "Standard",
    }


def _forbids_overwrite(call: Call) -> bool:
    return call.headers.get("x-oss-forbid-overwrite", "").lower() == "true"


def _content_type(call: Call) -> str:
    return call.headers.get("content-type") or "application/octet-stream"


def _meta(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.headers.items() if name.startswith("x-oss-meta-")}


def _number(call: Call, name: str, default: int, largest: int) -> int:
    text = call.parameter(name) or str(default)
    if not (text.isascii() and text.isdigit()) or int(text) > largest:
        raise _invalid_argument(f"{name} must be an integer between 0 and {largest}.")
    return int(text)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """(start, stop) of `bytes=a-b`, `bytes=a-` or `bytes=-n`; None for all else, which OSS answers whole."""
    unit, _, span = header.partition("=")
    first, dash, last = span.partition("-")
    if unit != "bytes" or not dash or not (first + last).isdigit():
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    return (start, stop) if start < stop else None


async def _small_body(call: Call) -> bytes:
    if call.size is None or call.size > LARGEST_XML:
        raise oss_xml.malformed()
    return await call.body.read()


def _invalid_argument(message: str) -> OssError:
    return OssError(400, "InvalidArgument", message, "0017-00000901")


def _invalid_digest() -> OssError:
    return OssError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "0017-00000502")
