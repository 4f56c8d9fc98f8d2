"""The sandbox's storage, through oss2: what works on OSS works here, what OSS refuses is refused alike."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oss2
import pytest
import requests
from oss2.exceptions import OssError, ServerError
from oss2.models import PartInfo
from requests.adapters import HTTPAdapter

from dropscribe.sandbox import RunningSandbox
from lab import eventually

KEY = "a folder/b 中文+#?&.wav"
PART = 100 * 1024


def refusal(act: Callable[[], Any]) -> tuple[int, str, str]:
    """(status, code, EC) of what the storage refuses."""
    with pytest.raises(ServerError) as raised:
        act()
    return raised.value.status, raised.value.code, raised.value.details.get("EC", "")


@pytest.mark.parametrize("size", [0, 1, 4096, 300_000], ids=["empty", "one byte", "in memory", "in a file"])
def test_what_was_put_comes_back_with_size_crc_and_etag(bucket: oss2.Bucket, size: int) -> None:
    content = os.urandom(size)

    stored = bucket.put_object(KEY, content)
    head = bucket.head_object(KEY)

    assert bucket.get_object(KEY).read() == content  # oss2 compares the CRC of what it sent and got with the server's
    assert head.content_length == size
    assert head.server_crc == stored.crc
    assert stored.etag == hashlib.md5(content).hexdigest().upper()


def test_a_deleted_object_is_gone_and_may_be_deleted_again(bucket: oss2.Bucket) -> None:
    bucket.put_object(KEY, b"x")

    assert bucket.delete_object(KEY).status == bucket.delete_object(KEY).status == 204

    assert refusal(lambda: bucket.get_object(KEY))[:2] == (404, "NoSuchKey")
    assert refusal(lambda: bucket.head_object(KEY)) == (404, "NoSuchKey", "0026-00000001")


def test_many_objects_are_deleted_in_one_request(bucket: oss2.Bucket, sandbox: RunningSandbox) -> None:
    for key in (KEY, "b", "c"):
        bucket.put_object(key, b"x")

    answer = bucket.batch_delete_objects([KEY, "c", "never there"])

    assert set(answer.deleted_keys) == {KEY, "c", "never there"}
    assert [o["key"] for o in sandbox.state()["objects"]] == ["b"]


def test_a_delete_of_many_that_was_damaged_on_its_way_deletes_nothing(
    bucket: oss2.Bucket, sandbox: RunningSandbox
) -> None:
    class Damaging(HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            assert isinstance(request.body, bytes)
            request.body = request.body.replace(b"<Key>a", b"<Key>b")
            return super().send(request, *args, **kwargs)

    bucket.put_object("b", b"x")
    bucket.session = oss2.Session(adapter=Damaging())

    assert refusal(lambda: bucket.batch_delete_objects(["a"]))[:2] == (400, "InvalidDigest")

    assert len(sandbox.state()["objects"]) == 1


def test_a_put_whose_md5_is_wrong_stores_nothing(bucket: oss2.Bucket, sandbox: RunningSandbox) -> None:
    headers = {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}

    assert refusal(lambda: bucket.put_object("a", b"x", headers=headers))[:2] == (400, "InvalidDigest")

    assert sandbox.state()["objects"] == []


def test_forbid_overwrite_keeps_what_is_there(bucket: oss2.Bucket) -> None:
    bucket.put_object("a", b"first")
    headers = {"x-oss-forbid-overwrite": "true"}

    taken = refusal(lambda: bucket.put_object("a", b"second", headers=headers))

    assert taken == (409, "FileAlreadyExists", "0026-00000002")
    assert bucket.get_object("a").read() == b"first"


def test_a_range_of_an_object_in_pieces_is_exact(bucket: oss2.Bucket) -> None:
    content = os.urandom(2 * PART + 777)
    upload_parts(bucket, "big", content)

    part = bucket.get_object("big", byte_range=(PART - 5, 2 * PART + 5)).read()

    assert part == content[PART - 5 : 2 * PART + 6]


def upload_parts(bucket: oss2.Bucket, key: str, content: bytes) -> str:
    upload_id = str(bucket.init_multipart_upload(key).upload_id)
    parts = []
    for number, start in enumerate(range(0, len(content), PART), 1):
        piece = content[start : start + PART]
        parts.append(PartInfo(number, bucket.upload_part(key, upload_id, number, piece).etag))
    bucket.complete_multipart_upload(key, upload_id, parts)
    return upload_id


def test_a_multipart_object_has_the_crc_of_its_whole_content(bucket: oss2.Bucket) -> None:
    content = os.urandom(3 * PART + 5)

    upload_id = upload_parts(bucket, KEY, content)

    crc = oss2.utils.Crc64()
    crc(content)
    assert bucket.head_object(KEY).server_crc == crc.crc
    assert bucket.get_object(KEY).read() == content
    assert refusal(lambda: bucket.list_parts(KEY, upload_id))[:2] == (404, "NoSuchUpload")


def test_parts_are_listed_in_pages_and_a_part_sent_again_replaces_the_first(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    for number in (3, 1, 2, 2):
        bucket.upload_part(KEY, upload_id, number, bytes([number]) * number)

    first = bucket.list_parts(KEY, upload_id, max_parts=2)
    rest = bucket.list_parts(KEY, upload_id, marker=first.next_marker, max_parts=2)

    assert [(p.part_number, p.size) for p in first.parts] == [(1, 1), (2, 2)]
    assert first.is_truncated
    assert [p.part_number for p in rest.parts] == [3]
    assert not rest.is_truncated


def test_parts_that_are_too_small_or_not_those_sent_make_no_object(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload("a").upload_id
    etags = [bucket.upload_part("a", upload_id, n, b"small").etag for n in (1, 2)]

    def completing(*parts: PartInfo) -> Callable[[], Any]:
        return lambda: bucket.complete_multipart_upload("a", upload_id, parts)

    one, two = PartInfo(1, etags[0]), PartInfo(2, etags[1])
    assert refusal(completing(one, two))[1] == "EntityTooSmall"
    assert refusal(completing(PartInfo(1, "0" * 32)))[1] == "InvalidPart"
    assert refusal(lambda: bucket.upload_part("a", "no such", 1, b"x"))[1] == "NoSuchUpload"
    assert refusal(lambda: bucket.head_object("a"))[0] == 404


def test_unfinished_uploads_are_listed_by_prefix_and_an_aborted_one_is_gone(
    bucket: oss2.Bucket, sandbox: RunningSandbox
) -> None:
    ids = {key: bucket.init_multipart_upload(key).upload_id for key in ("in/a", "in/b", "out/c")}
    bucket.upload_part("in/a", ids["in/a"], 1, os.urandom(PART))

    bucket.abort_multipart_upload("in/a", ids["in/a"])

    listed = bucket.list_multipart_uploads(prefix="in/").upload_list
    assert [(u.key, u.upload_id) for u in listed] == [("in/b", ids["in/b"])]
    assert {u["key"] for u in sandbox.state()["uploads"]} == {"in/b", "out/c"}


def test_a_resumable_upload_goes_on_where_it_was_cut(
    bucket: oss2.Bucket, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(os.urandom(5 * PART))
    how = {
        "store": oss2.ResumableStore(root=str(tmp_path)),
        "multipart_threshold": PART,
        "part_size": PART,
        "num_threads": 1,
    }
    sandbox.inject("part", "drop", skip=3, times=1)
    with pytest.raises(OssError):
        oss2.resumable_upload(bucket, "long", str(path), **how)

    oss2.resumable_upload(bucket, "long", str(path), **how)

    assert bucket.get_object("long").read() == path.read_bytes()
    assert sandbox.state()["calls"]["part"]["statuses"] == {"200": 5}


@pytest.mark.parametrize("iterate", [oss2.ObjectIterator, oss2.ObjectIteratorV2])
def test_listings_are_paged_sorted_and_grouped(bucket: oss2.Bucket, iterate: Any) -> None:
    for key in ("b/2", "b/1", "a", "b/中 x", "c/1"):
        bucket.put_object(key, b"x")

    everything = [o.key for o in iterate(bucket, prefix="b/", max_keys=1)]
    grouped = [(o.key, o.is_prefix()) for o in iterate(bucket, delimiter="/", max_keys=2)]

    assert everything == ["b/1", "b/2", "b/中 x"]
    assert grouped == [("a", False), ("b/", True), ("c/", True)]


def test_a_copy_outlives_its_source(bucket: oss2.Bucket) -> None:
    bucket.put_object("a", b"content")

    bucket.copy_object("sandbox", "a", "b")
    bucket.delete_object("a")

    assert bucket.get_object("b").read() == b"content"


def test_the_bucket_tells_its_name_and_place(bucket: oss2.Bucket) -> None:
    assert bucket.get_bucket_info().name == "sandbox"
    assert bucket.get_bucket_location().location == "oss-cn-beijing"


def test_a_signed_url_works_until_it_expires(sandbox: RunningSandbox, put: Callable[..., str]) -> None:
    url = put(KEY, b"content", lifetime=60)
    fresh = requests.get(url, timeout=5)

    sandbox.advance(61)
    expired = requests.get(url, timeout=5)

    assert (fresh.status_code, fresh.content) == (200, b"content")
    assert expired.status_code == 403
    assert "<Code>AccessDenied</Code>" in expired.text
    assert "0002-00000069" in expired.text


def test_a_signed_url_holds_for_its_method_and_its_object_only(put: Callable[..., str]) -> None:
    url = put("a/1", b"content")

    assert requests.head(url, timeout=5).status_code == 403
    assert requests.put(url, data=b"x", timeout=5).status_code == 403
    assert requests.get(url.replace("a/1", "a/2"), timeout=5).status_code == 403
    assert requests.get(url.replace("x-oss-expires=3600", "x-oss-expires=7200"), timeout=5).status_code == 403


def test_a_url_signed_for_more_than_seven_days_is_refused(bucket: oss2.Bucket) -> None:
    answer = requests.get(bucket.sign_url("GET", "a", 604_801, slash_safe=True), timeout=5)

    assert (answer.status_code, "0002-00000232" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"key": "nobody"}, (403, "InvalidAccessKeyId", "0002-00000902")),
        ({"secret": "wrong"}, (403, "SignatureDoesNotMatch", "0002-00000201")),
        ({"region": "cn-hangzhou"}, (400, "InvalidArgument", "0002-00000218")),
        ({"name": "other"}, (404, "NoSuchBucket", "0015-00000101")),
    ],
    ids=["unknown key", "wrong secret", "wrong region", "no such bucket"],
)
@pytest.mark.parametrize("call", ["put_object", "head_object"])
def test_who_is_not_entitled_is_told_why(
    bucket_as: Callable[..., oss2.Bucket], credentials: dict[str, str], expected: tuple[int, str, str], call: str
) -> None:
    bucket = bucket_as(**credentials)
    arguments = ("a", b"x") if call == "put_object" else ("a",)

    assert refusal(lambda: getattr(bucket, call)(*arguments)) == expected


def test_version_1_signatures_are_refused_as_they_are_for_new_buckets(sandbox: RunningSandbox) -> None:
    bucket = oss2.Bucket(oss2.Auth("sandbox", "sandbox-secret"), sandbox.url, "sandbox")

    by_header = refusal(lambda: bucket.put_object("a", b"x"))
    by_url = requests.get(bucket.sign_url("GET", "a", 60), timeout=5)

    assert by_header == (403, "AccessDenied", "0002-00000080")
    assert (by_url.status_code, "0002-00000080" in by_url.text) == (403, True)


@pytest.mark.parametrize("skew", [-16 * 60, 16 * 60], ids=["server behind", "server ahead"])
def test_a_clock_that_is_16_minutes_off_is_refused(bucket: oss2.Bucket, sandbox: RunningSandbox, skew: float) -> None:
    sandbox.advance(skew)

    assert refusal(lambda: bucket.put_object("a", b"x"))[:2] == (403, "RequestTimeTooSkewed")


def test_a_session_token_has_to_come_with_every_request(bucket: oss2.Bucket, sandbox: RunningSandbox) -> None:
    sandbox.change(session_token="sts-token")
    with_token = oss2.Bucket(
        oss2.ProviderAuthV4(oss2.credentials.StaticCredentialsProvider("sandbox", "sandbox-secret", "sts-token")),
        sandbox.url,
        "sandbox",
        region="cn-beijing",
    )
    with_token.put_object("a", b"content")

    assert requests.get(with_token.sign_url("GET", "a", 60), timeout=5).content == b"content"
    assert refusal(lambda: bucket.head_object("a"))[:2] == (403, "InvalidAccessKeyId")


def test_an_upload_that_breaks_off_stores_nothing(bucket: oss2.Bucket, sandbox: RunningSandbox) -> None:
    class Breaking:
        len = 300_000

        def __init__(self) -> None:
            self.left = 3

        def read(self, _size: int) -> bytes:
            self.left -= 1
            if not self.left:
                eventually(lambda: "put" in sandbox.state()["calls"])
                raise KeyboardInterrupt
            return b"x" * 8192

    with pytest.raises(KeyboardInterrupt):
        bucket.put_object("a", Breaking())
    bucket.session.session.close()

    eventually(lambda: sandbox.state()["calls"]["put"]["unanswered"] == 1)
    assert sandbox.state()["calls"]["put"]["statuses"] == {}
    assert sandbox.state()["objects"] == []
