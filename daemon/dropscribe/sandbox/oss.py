"""The HTTP face of the object storage: path-style, V4 signatures only, private objects only."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from urllib.parse import unquote

from dropscribe.sandbox import oss_xml
from dropscribe.sandbox.answers import XML, Answer, OssError
from dropscribe.sandbox.blobs import Blob, Piece, content_md5, one_piece
from dropscribe.sandbox.calls import Call
from dropscribe.sandbox.clock import SandboxClock
from dropscribe.sandbox.objects import Bucket, StoredObject, StoredPart, page_of
from dropscribe.sandbox.oss_calls import (
    byte_range,
    content_type,
    forbids_overwrite,
    invalid_argument,
    invalid_digest,
    meta,
    number,
    small_body,
    split_path,
)
from dropscribe.sandbox.settings import SandboxSettings
from dropscribe.sandbox.signatures import SignedCall, verify

LARGEST_PUT = 5 * 1024**3
LONGEST_KEY = 1023
MOST_PARTS = 10_000


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
        now = time.time() if self.settings.signed_by_real_time else self._clock.now()
        verify(SignedCall(call.method, resource, call.query, call.headers), self.settings, now)
        if bucket != self.bucket.name:
            raise OssError(404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101")
        if name not in self._handlers:
            raise OssError(501, "NotImplemented", "The sandbox does not offer this call.", "0017-00000902")
        if len(key.encode("utf-8", "surrogateescape")) > LONGEST_KEY or key.startswith(("/", "\\")):
            raise OssError(400, "InvalidObjectName", "The specified object is not valid.", "0016-00000203")
        return await self._handlers[name](call, key)

    async def _put(self, call: Call, key: str) -> Answer:
        self.bucket.may_write(key, forbids_overwrite(call))
        piece = await self._taken(call)
        stored = StoredObject(one_piece(piece), self._clock.now(), content_type(call), meta(call))
        self._store(call, key, stored)
        return Answer(200, b"", _identity(stored.blob), XML)

    def _store(self, call: Call, key: str, stored: StoredObject) -> None:
        """With a second look at forbid-overwrite: another put may have been faster."""
        try:
            self.bucket.may_write(key, forbids_overwrite(call))
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
            raise invalid_digest()
        return piece

    async def _get(self, call: Call, key: str) -> Answer:
        stored = self.bucket.find(key)
        headers = _object_headers(stored)
        wanted = byte_range(call.headers.get("range", ""), stored.blob.size)
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
        body = await small_body(call)
        given = call.headers.get("content-md5")
        if given is None:
            raise OssError(400, "MissingArgument", "Missing some required arguments: Content-MD5.", "0017-00000503")
        if given != content_md5(hashlib.md5(body, usedforsecurity=False).digest()):
            raise invalid_digest()
        keys, quiet = oss_xml.keys_to_delete(body)
        for doomed in keys:
            self.bucket.delete(doomed)
        return Answer(200, b"" if quiet else oss_xml.deleted_xml(keys, call.parameter("encoding-type")), {}, XML)

    async def _initiate(self, call: Call, key: str) -> Answer:
        self.bucket.may_write(key, forbids_overwrite(call))
        upload = self.bucket.initiate(key, self._clock.now(), content_type(call), meta(call))
        return Answer(200, oss_xml.initiated_xml(self.bucket, upload, call.parameter("encoding-type")), {}, XML)

    async def _part(self, call: Call, key: str) -> Answer:
        part_number = number(call, "partNumber", 0, MOST_PARTS)
        if part_number < 1:
            raise invalid_argument("Part number must be an integer between 1 and 10000.")
        self.bucket.upload(key, call.parameter("uploadId"))
        piece = await self._taken(call)
        try:
            upload = self.bucket.upload(key, call.parameter("uploadId"))
        except OssError:
            self.bucket.blobs.drop_piece(piece)
            raise
        self.bucket.add_part(upload, part_number, StoredPart(piece, self._clock.now()))
        return Answer(200, b"", _identity(one_piece(piece)), XML)

    async def _complete(self, call: Call, key: str) -> Answer:
        listed = oss_xml.listed_parts(await small_body(call))
        upload = self.bucket.upload(key, call.parameter("uploadId"))
        self.bucket.may_write(key, forbids_overwrite(call))
        stored = self.bucket.complete(upload, listed, self.settings.smallest_part, self._clock.now())
        location = f"http://{call.headers.get('host', '')}{call.raw_path}"
        body = oss_xml.completed_xml(self.bucket, key, stored, location, call.parameter("encoding-type"))
        return Answer(200, body, _identity(stored.blob), XML)

    async def _abort(self, call: Call, key: str) -> Answer:
        self.bucket.abort(self.bucket.upload(key, call.parameter("uploadId")))
        return Answer(204, b"", {}, XML)

    async def _list_parts(self, call: Call, key: str) -> Answer:
        upload = self.bucket.upload(key, call.parameter("uploadId"))
        after = number(call, "part-number-marker", 0, MOST_PARTS)
        return Answer(
            200, oss_xml.parts_xml(self.bucket, upload, after, number(call, "max-parts", 1000, 1000)), {}, XML
        )

    async def _list_uploads(self, call: Call, key: str) -> Answer:
        after = (call.parameter("key-marker"), call.parameter("upload-id-marker"))
        limit, encoding = number(call, "max-uploads", 1000, 1000), call.parameter("encoding-type")
        return Answer(200, oss_xml.uploads_xml(self.bucket, call.parameter("prefix"), after, limit, encoding), {}, XML)

    async def _list_objects(self, call: Call, key: str) -> Answer:
        second = call.parameter("list-type") == "2"
        marker, next_tag = ("continuation-token", "NextContinuationToken") if second else ("marker", "NextMarker")
        after = call.parameter(marker) or (call.parameter("start-after") if second else "")
        limit = number(call, "max-keys", 100, 1000)
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
