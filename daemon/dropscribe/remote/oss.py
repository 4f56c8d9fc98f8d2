"""Alibaba Cloud OSS behind the house's `ObjectStore`: the only home of oss2 (the reasons are in CONTRIBUTING.md)."""

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, BinaryIO, TypeVar
from xml.etree.ElementTree import ParseError

from dropscribe.config.settings import StorageSettings
from dropscribe.errors import Misconfigured, OutOfOrder, Problem
from dropscribe.model import Part
from dropscribe.remote.policy import Flicker, retrying_blocking
from dropscribe.remote.ports import NoSuchUpload
from dropscribe.remote.storage_codes import (
    classify_storage,
    no_checksum,
    no_credentials,
    not_deleted,
    passes_soon,
    unreachable,
    unreadable,
    unusable,
)
from dropscribe.remote.upload_body import UploadBody

with warnings.catch_warnings():
    # oss2 and crcmod are compiled at their first import, and their doc strings hold escapes that Python warns about.
    warnings.simplefilter("ignore")
    import oss2
    from oss2.exceptions import ClientError, OssError, RequestError, ServerError
    from oss2.models import PartInfo

    from dropscribe.remote.oss_session import Session

_T = TypeVar("_T")

LONGEST_URL_LIFETIME = 604_800
"""Seconds; OSS refuses a V4 signature that is valid for longer, and oss2 does not check."""

_METADATA_SERVICE = "http://100.100.100.200/latest/meta-data/ram/security-credentials/"
_TYPE = {"Content-Type": "application/octet-stream"}
_PRIVATE = {"x-oss-object-acl": "private"}
_SPARE_CONNECTIONS = 8  # for the small calls beside the uploads
_GONE_UPLOAD = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder"})
# What gateways, mirrors and stand-ins say to a call about the whole bucket that they do not know.
_NOT_SERVED = frozenset(
    {"NotImplemented", "MethodNotAllowed", "NoSuchKey", "InvalidArgument", "InvalidRequest", "MalformedXML"}
    | {f"HTTP {status}" for status in (400, 404, 405, 411, 501)}
    | {"UnreadableAnswer"}
)
_DELETED = 204
_MOST_PAGES = 100
# What oss2's parsers raise on an answer that is not OSS's (a captive portal's page, for example).
_UNREADABLE = (ParseError, RuntimeError, ValueError)


class OssStore:
    """Objects in one bucket, uploaded through `endpoint`, readable for the service through `public_endpoint`.

    Thread-safe. With `ram_role` any method may first have to fetch credentials (a blocking call), `signed_url` too.
    """

    def __init__(
        self,
        settings: StorageSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeouts: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        """`timeouts`: seconds to connect, and to wait for the next bytes. Raises Misconfigured."""
        _silence()
        self._sleep = sleep
        auth = oss2.ProviderAuthV4(_credentials(settings))
        session = Session(settings.uploads + _SPARE_CONNECTIONS, settings.endpoint)
        self._bucket = _bucket(settings, auth, session, settings.endpoint, "endpoint", timeouts)
        self._public = _bucket(settings, auth, session, settings.public_endpoint, "public_endpoint", timeouts)

    def put(self, key: str, source: BinaryIO, size: int) -> int:
        body = UploadBody(source, size)
        result = body.carried(lambda data: _once(key, lambda: self._bucket.put_object(key, data, _TYPE | _PRIVATE)))
        return self._checksum(key, result)

    def initiate(self, key: str) -> str:
        result = _once(key, lambda: self._bucket.init_multipart_upload(key, _TYPE))
        return str(result.upload_id)

    def put_part(self, key: str, upload_id: str, number: int, source: BinaryIO, size: int) -> Part:
        body = UploadBody(source, size)
        result = body.carried(lambda data: _once(key, lambda: self._bucket.upload_part(key, upload_id, number, data)))
        return Part(number, size, str(result.etag), result.crc)

    def list_parts(self, key: str, upload_id: str) -> Sequence[Part]:
        found: list[Part] = []
        marker = ""
        for _ in range(_MOST_PAGES):
            page = self._repeat(key, partial(self._bucket.list_parts, key, upload_id, marker=marker))
            found += [Part(each.part_number, each.size, each.etag, each.part_crc) for each in page.parts]
            marker = page.next_marker
            if not page.is_truncated:
                return found
        raise unreadable()

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> int:
        infos = [PartInfo(part.number, part.etag, part.size) for part in parts]
        return self._checksum(
            key, _once(key, lambda: self._bucket.complete_multipart_upload(key, upload_id, infos, _PRIVATE))
        )

    def abort(self, key: str, upload_id: str) -> None:
        try:
            self._repeat(key, lambda: self._bucket.abort_multipart_upload(key, upload_id))
        except NoSuchUpload:
            return

    def unfinished(self, key: str) -> Sequence[str]:
        """Also empty where they are not listed for us: the right is not among those we ask for."""
        return self._uploads_if_allowed(key) or []

    def may_list_uploads(self, key: str) -> bool:
        """Whether unfinished uploads can be found after a crash in the instant between begin and record."""
        return self._uploads_if_allowed(key) is not None

    def head(self, key: str) -> tuple[int, int | None] | None:
        # A HEAD's 404 has no body, and the code of a missing object only in a header; a missing bucket is named there.
        result = self._repeat(key, partial(_none_without, ("", "NoSuchKey"), self._bucket.head_object, key))
        return None if result is None else (int(result.content_length or 0), result.server_crc)

    def delete(self, key: str) -> None:
        self._repeat(key, partial(_none_without, ("NoSuchKey",), self._bucket.delete_object, key))

    def delete_many(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        try:
            # Not in OSS's quiet mode: what is recorded as deleted must have been named as deleted, or be gone.
            result = self._repeat("", lambda: self._bucket.batch_delete_objects(list(keys)))
        except OutOfOrder as fault:
            if fault.code not in _NOT_SERVED:
                raise
            for key in keys:
                self._delete_surely(key)
            return
        if left := [key for key in set(keys) - set(result.deleted_keys) if self.head(key) is not None]:
            raise not_deleted(len(left), len(keys))

    def signed_url(self, key: str, lifetime: float) -> str:
        expires = max(1, min(int(lifetime), LONGEST_URL_LIFETIME))
        # slash_safe: with %2F in the path the service's fetcher would see another address than it was signed for.
        return str(_once(key, lambda: self._public.sign_url("GET", key, expires, slash_safe=True)))

    def _delete_surely(self, key: str) -> None:
        """Where many cannot be deleted at once: a log-in page's 200 is no proof that the object has gone."""
        result = self._repeat(key, partial(_none_without, ("NoSuchKey",), self._bucket.delete_object, key))
        if result is not None and result.status != _DELETED and self.head(key) is not None:
            raise unreadable()

    def _uploads_if_allowed(self, key: str) -> list[str] | None:
        """None where they are not listed for us. What is wrong with the storage itself, the next call will say."""
        try:
            return self._uploads_of(key)
        except OutOfOrder as error:
            if error.code in _NOT_SERVED | {"AccessDenied", "HTTP 403"}:
                return None
            raise

    def _uploads_of(self, key: str) -> list[str]:
        found: list[str] = []
        at = ("", "")
        for _ in range(_MOST_PAGES):
            page = self._repeat(key, partial(self._bucket.list_multipart_uploads, key, "", *at))
            found += [each.upload_id for each in page.upload_list if each.key == key]
            at = (page.next_key_marker, page.next_upload_id_marker)
            if not page.is_truncated:
                return found
        raise unreadable()

    def _checksum(self, key: str, result: Any) -> int:
        """The server's checksum of the whole object; asked for where the answer to the upload did not name it."""
        crc = result.crc
        if crc is None:
            crc = (self.head(key) or (0, None))[1]
        if crc is None:
            raise no_checksum()
        return int(crc)

    def _repeat(self, key: str, call: Callable[[], _T]) -> _T:
        """For calls that may be made twice: what passes within seconds is not worth a word."""
        return retrying_blocking(lambda: _call(key, call), self._sleep)


def _once(key: str, call: Callable[[], _T]) -> _T:
    """For calls whose repetition is the caller's business."""
    try:
        return _call(key, call)
    except Flicker as flicker:
        raise flicker.fault from None


def _call(key: str, call: Callable[[], _T]) -> _T:
    """`call`'s result, its connection given back; its errors in the house's words (Flicker: it may soon pass).

    They are cut from their causes: urllib3's exceptions show whole URLs.
    """
    try:
        result = call()
        if isinstance(result, oss2.models.RequestResult):
            result.resp.read()  # else the connection never returns to the pool
    except OssError as error:
        raise _translate(error, key) from None
    except OSError as error:
        raise Flicker(unreachable(error)) from None
    except _UNREADABLE:
        raise Flicker(unreadable()) from None
    return result


def _silence() -> None:
    """oss2 logs URLs, signatures and errors through `oss2.*`; urllib3 logs request lines. What matters is raised."""
    for name in ("oss2", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def _credentials(settings: StorageSettings) -> Any:
    if settings.ram_role:
        return oss2.EcsRamRoleCredentialsProvider(_METADATA_SERVICE + settings.ram_role)
    token = settings.session_token.reveal() if settings.session_token else ""
    return oss2.StaticCredentialsProvider(settings.access_key_id, settings.access_key_secret.reveal(), token)


def _bucket(
    settings: StorageSettings, auth: Any, session: Any, endpoint: str, name: str, timeouts: tuple[float, float]
) -> Any:
    try:
        return oss2.Bucket(
            auth,
            endpoint,
            settings.bucket,
            is_cname=settings.cname,
            session=session,
            connect_timeout=timeouts,  # handed on to the session: to connect, to read
            enable_crc=False,  # the caller compares the server's checksum with its own; crcmod may take a minute a GB
            region=settings.region,
        )
    except ClientError as error:
        what = "bucket" if "bucket_name" in error.body else name
        raise Misconfigured([Problem(f"storage.{what}", None, f"OSS cannot use this {what}: {error.body}")]) from error


def _none_without(codes: Sequence[str], call: Callable[[str], _T], key: str) -> _T | None:
    """`call(key)`, or None where it ends with a 404 of one of these codes: there is no such object."""
    try:
        return call(key)
    except ServerError as error:
        if error.status == 404 and error.code in codes:
            return None
        raise


def _translate(error: Any, key: str) -> Exception:
    if isinstance(error, RequestError):
        return Flicker(unreachable(error.exception))
    if isinstance(error, ClientError):
        return no_credentials() if "credentials" in error.body else unusable(error.body)
    code, request_id = error.code or "", error.request_id or None
    if code in _GONE_UPLOAD:
        return NoSuchUpload(f"the storage does not know the multipart upload any more ({code})")
    message = (error.message or "").replace(key or "\0", "<key>")
    fault = classify_storage(error.status, code, error.ec or "", message, request_id)
    return Flicker(fault) if isinstance(fault, OutOfOrder) and passes_soon(error.status, code) else fault
