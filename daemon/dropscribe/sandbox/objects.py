"""What a bucket holds: objects and unfinished uploads; and how listings of them are cut into pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dropscribe.sandbox.answers import OssError, new_id
from dropscribe.sandbox.blobs import Blob, BlobStore, Piece, many_pieces


@dataclass(frozen=True, slots=True)
class StoredObject:
    blob: Blob
    modified: float
    content_type: str
    meta: Mapping[str, str]
    kind: str = "Normal"


@dataclass(frozen=True, slots=True)
class StoredPart:
    piece: Piece
    modified: float


@dataclass(slots=True)
class Upload:
    """An unfinished multipart upload."""

    key: str
    upload_id: str
    initiated: float
    content_type: str
    meta: Mapping[str, str]
    parts: dict[int, StoredPart] = field(default_factory=dict)


class Bucket:
    """Objects by key and uploads by id. Every change lets go of the bytes that nobody needs any more."""

    def __init__(self, name: str, created: float, blobs: BlobStore) -> None:
        self.name, self.created, self.blobs = name, created, blobs
        self.objects: dict[str, StoredObject] = {}
        self.uploads: dict[str, Upload] = {}

    def find(self, key: str) -> StoredObject:
        try:
            return self.objects[key]
        except KeyError:
            raise OssError(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001") from None

    def may_write(self, key: str, forbid_overwrite: bool) -> None:
        """Raise OssError 409 where the key is taken and the caller said not to overwrite."""
        if forbid_overwrite and key in self.objects:
            message = "The object you specified already exists and can not be overwritten."
            raise OssError(409, "FileAlreadyExists", message, "0026-00000002")

    def store(self, key: str, stored: StoredObject) -> None:
        self.delete(key)
        self.objects[key] = stored

    def delete(self, key: str) -> None:
        if (old := self.objects.pop(key, None)) is not None:
            self.blobs.drop(old.blob)

    def initiate(self, key: str, now: float, content_type: str, meta: Mapping[str, str]) -> Upload:
        upload = Upload(key, new_id().replace("-", "").upper(), now, content_type, meta)
        self.uploads[upload.upload_id] = upload
        return upload

    def upload(self, key: str, upload_id: str) -> Upload:
        found = self.uploads.get(upload_id)
        if found is None or found.key != key:
            message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have ended."
            raise OssError(404, "NoSuchUpload", message, "0042-00000002")
        return found

    def add_part(self, upload: Upload, number: int, part: StoredPart) -> None:
        if (old := upload.parts.get(number)) is not None:
            self.blobs.drop_piece(old.piece)
        upload.parts[number] = part

    def abort(self, upload: Upload) -> None:
        del self.uploads[upload.upload_id]
        for part in upload.parts.values():
            self.blobs.drop_piece(part.piece)

    def complete(self, upload: Upload, listed: Sequence[tuple[int, str]], smallest: int, now: float) -> StoredObject:
        """Make the object of the listed (number, ETag) parts; raise OssError where they are not as OSS wants them."""
        pieces = tuple(part.piece for part in _chosen_parts(upload, listed))
        if any(piece.size < smallest for piece in pieces[:-1]):
            raise OssError(
                400, "EntityTooSmall", "A part that is not the last is smaller than 100 KB.", "0042-00000204"
            )
        del self.uploads[upload.upload_id]
        wanted = {number for number, _ in listed}
        for number, part in upload.parts.items():
            if number not in wanted:
                self.blobs.drop_piece(part.piece)
        stored = StoredObject(many_pieces(pieces), now, upload.content_type, upload.meta, "Multipart")
        self.store(upload.key, stored)
        return stored

    def as_json(self) -> dict[str, Any]:
        return {
            "objects": [
                {
                    "key": key,
                    "size": o.blob.size,
                    "etag": o.blob.etag,
                    "crc64": str(o.blob.crc64),
                    "modified": o.modified,
                }
                for key, o in sorted(self.objects.items())
            ],
            "uploads": [
                {"key": u.key, "upload_id": u.upload_id, "initiated": u.initiated, "parts": sorted(u.parts)}
                for u in self.uploads.values()
            ],
        }


def _chosen_parts(upload: Upload, listed: Sequence[tuple[int, str]]) -> list[StoredPart]:
    numbers = [number for number, _ in listed]
    if not numbers:
        raise OssError(400, "MalformedXML", "The XML you provided lists no parts.", "0042-00000203")
    if numbers != sorted(set(numbers)):
        raise OssError(400, "InvalidPartOrder", "The list of parts was not in ascending order.", "0042-00000202")
    for number, etag in listed:
        part = upload.parts.get(number)
        if part is None or part.piece.md5.hex().upper() != etag.strip('"').upper():
            message = f"Part {number} could not be found, or its ETag does not match."
            raise OssError(400, "InvalidPart", message, "0042-00000201")
    return [upload.parts[number] for number in numbers]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: keys, common prefixes, and the last of either where more follow."""

    keys: tuple[str, ...]
    prefixes: tuple[str, ...]
    next_marker: str | None


def page_of(keys: Iterable[str], prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """The first `limit` keys and common prefixes behind `after`, in order."""
    entries: dict[str, bool] = {}
    for key in sorted(k for k in keys if k.startswith(prefix) and k > after):
        entry, is_prefix = _grouped(key, prefix, delimiter)
        if is_prefix and entry <= after:
            continue
        if entry not in entries and len(entries) == limit:
            return _page(entries, last=next(reversed(entries), after))
        entries[entry] = is_prefix
    return _page(entries, last=None)


def _page(entries: Mapping[str, bool], last: str | None) -> Page:
    keys = tuple(entry for entry, is_prefix in entries.items() if not is_prefix)
    return Page(keys, tuple(entry for entry, is_prefix in entries.items() if is_prefix), last)


def _grouped(key: str, prefix: str, delimiter: str) -> tuple[str, bool]:
    if delimiter and (cut := key.find(delimiter, len(prefix))) >= 0:
        return key[: cut + len(delimiter)], True
    return key, False
