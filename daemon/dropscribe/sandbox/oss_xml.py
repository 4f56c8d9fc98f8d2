"""The XML that OSS reads and writes, apart from errors."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote
from xml.etree import ElementTree

from dropscribe.sandbox.answers import OssError, element, xml_document
from dropscribe.sandbox.clock import iso_text
from dropscribe.sandbox.objects import Bucket, Page, StoredObject, StoredPart, Upload

_OWNER = "<Owner><ID>sandbox</ID><DisplayName>sandbox</DisplayName></Owner>"
MOST_KEYS = 1000


def key_text(key: str, encoding: str) -> str:
    return quote(key, safe="/", errors="surrogateescape") if encoding == "url" else key


def objects_xml(bucket: Bucket, page: Page, asked: Iterable[tuple[str, str]], next_tag: str, encoding: str) -> bytes:
    """ListBucketResult of both versions; `asked` echoes the question, `next_tag` names the marker of the next page."""
    head = element("Name", bucket.name) + "".join(element(tag, key_text(value, encoding)) for tag, value in asked)
    head += _truncation(page.next_marker is not None)
    if encoding:
        head += element("EncodingType", encoding)
    if page.next_marker is not None:
        head += element(next_tag, key_text(page.next_marker, encoding))
    contents = "".join(_contents(key, bucket.objects[key], encoding) for key in page.keys)
    return xml_document("ListBucketResult", head + contents + _common_prefixes(page, encoding))


def _truncation(truncated: bool) -> str:
    return element("IsTruncated", "true" if truncated else "false")


def _contents(key: str, stored: StoredObject, encoding: str) -> str:
    return (
        f"<Contents>{element('Key', key_text(key, encoding))}{element('LastModified', iso_text(stored.modified))}"
        f"<ETag>&quot;{stored.blob.etag}&quot;</ETag>{element('Type', stored.kind)}{element('Size', stored.blob.size)}"
        f"<StorageClass>Standard</StorageClass>{_OWNER}</Contents>"
    )


def _common_prefixes(page: Page, encoding: str) -> str:
    return "".join(
        f"<CommonPrefixes>{element('Prefix', key_text(p, encoding))}</CommonPrefixes>" for p in page.prefixes
    )


def initiated_xml(bucket: Bucket, upload: Upload, encoding: str) -> bytes:
    content = element("Bucket", bucket.name) + element("Key", key_text(upload.key, encoding))
    return xml_document("InitiateMultipartUploadResult", content + element("UploadId", upload.upload_id))


def completed_xml(bucket: Bucket, key: str, stored: StoredObject, location: str, encoding: str) -> bytes:
    """`location` is the object's address."""
    content = element("Location", location) + element("Bucket", bucket.name) + element("Key", key_text(key, encoding))
    return xml_document("CompleteMultipartUploadResult", content + f"<ETag>&quot;{stored.blob.etag}&quot;</ETag>")


def copied_xml(stored: StoredObject) -> bytes:
    content = element("LastModified", iso_text(stored.modified)) + f"<ETag>&quot;{stored.blob.etag}&quot;</ETag>"
    return xml_document("CopyObjectResult", content)


def parts_xml(bucket: Bucket, upload: Upload, after: int, limit: int) -> bytes:
    numbers = [n for n in sorted(upload.parts) if n > after]
    shown = numbers[:limit]
    content = element("Bucket", bucket.name) + element("Key", upload.key) + element("UploadId", upload.upload_id)
    content += element("NextPartNumberMarker", shown[-1] if shown else after) + element("MaxParts", limit)
    content += _truncation(len(numbers) > limit)
    return xml_document("ListPartsResult", content + "".join(_part(n, upload.parts[n]) for n in shown))


def _part(number: int, part: StoredPart) -> str:
    piece = part.piece
    return (
        f"<Part>{element('PartNumber', number)}{element('LastModified', iso_text(part.modified))}"
        f"<ETag>&quot;{piece.md5.hex().upper()}&quot;</ETag>{element('HashCrc64ecma', piece.crc64)}"
        f"{element('Size', piece.size)}</Part>"
    )


def uploads_xml(bucket: Bucket, prefix: str, after: tuple[str, str], limit: int, encoding: str) -> bytes:
    """ListMultipartUploadsResult: uploads behind the (key, upload id) marker, in that order."""
    found = sorted(
        (u for u in bucket.uploads.values() if u.key.startswith(prefix) and _is_behind(u, after)),
        key=lambda u: (u.key, u.upload_id),
    )
    shown, truncated = found[:limit], len(found) > limit
    last = shown[-1] if shown and truncated else None
    content = element("Bucket", bucket.name) + (element("EncodingType", encoding) if encoding else "")
    content += element("NextKeyMarker", key_text(last.key, encoding) if last else "")
    content += element("NextUploadIdMarker", last.upload_id if last else "")
    content += element("MaxUploads", limit) + _truncation(truncated)
    return xml_document("ListMultipartUploadsResult", content + "".join(_upload(u, encoding) for u in shown))


def _is_behind(upload: Upload, after: tuple[str, str]) -> bool:
    """Without an upload id the marker skips its whole key."""
    key, upload_id = after
    return (upload.key, upload.upload_id) > (key, upload_id) if upload_id else upload.key > key


def _upload(upload: Upload, encoding: str) -> str:
    content = element("Key", key_text(upload.key, encoding)) + element("UploadId", upload.upload_id)
    return f"<Upload>{content}{element('Initiated', iso_text(upload.initiated))}</Upload>"


def deleted_xml(keys: Sequence[str], encoding: str) -> bytes:
    head = element("EncodingType", encoding) if encoding else ""
    rows = "".join(f"<Deleted>{element('Key', key_text(k, encoding))}</Deleted>" for k in keys)
    return xml_document("DeleteResult", head + rows)


def bucket_xml(bucket: Bucket, region: str) -> bytes:
    content = element("Name", bucket.name) + element("CreationDate", iso_text(bucket.created))
    content += element("Location", f"oss-{region}") + element("StorageClass", "Standard")
    content += element("ExtranetEndpoint", "127.0.0.1") + element("IntranetEndpoint", "127.0.0.1") + _OWNER
    content += "<AccessControlList><Grant>private</Grant></AccessControlList>"
    return xml_document("BucketInfo", f"<Bucket>{content}</Bucket>")


def location_xml(region: str) -> bytes:
    return xml_document("LocationConstraint", f"oss-{region}")


def keys_to_delete(body: bytes) -> tuple[Sequence[str], bool]:
    """(keys, quiet) of a DeleteObjects request; raises OssError for XML that is none, or for more than 1000 keys."""
    root = _parsed(body, "Delete")
    keys = [node.findtext("Key") or "" for node in root.findall("Object")]
    if not 1 <= len(keys) <= MOST_KEYS or "" in keys:
        raise malformed()
    return keys, root.findtext("Quiet") == "true"


def listed_parts(body: bytes) -> Sequence[tuple[int, str]]:
    """(number, ETag) of a CompleteMultipartUpload request; raises OssError for XML that is none."""
    try:
        return [
            (int(node.findtext("PartNumber") or ""), node.findtext("ETag") or "")
            for node in _parsed(body, "CompleteMultipartUpload").findall("Part")
        ]
    except ValueError as error:
        raise malformed() from error


def _parsed(body: bytes, tag: str) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - from a signed caller on this machine, bounded in size
    except ElementTree.ParseError as error:
        raise malformed() from error
    if root.tag != tag:
        raise malformed()
    return root


def malformed() -> OssError:
    message = "The XML you provided was not well-formed or did not validate against our published schema."
    return OssError(400, "MalformedXML", message, "0016-00000202")
