"""docs/protocol.md tells which calls the official SDKs prove: what the sandbox counts while they speak (test_sdk)."""

import oss2
from oss2.models import PartInfo

from contract.judge import Judge
from contract.sdk_table import answered, proved_by
from dropscribe.sandbox import RunningSandbox

PART = 100 * 1024


def test_oss2_speaks_each_call_of_the_storage_within_the_rules(
    bucket: oss2.Bucket, sandbox: RunningSandbox, judge: Judge
) -> None:
    speak_of_objects(bucket)
    speak_of_parts(bucket)

    assert answered(sandbox) == proved_by("oss2")
    assert [str(breach) for breach in judge.breaches] == []


def speak_of_objects(bucket: oss2.Bucket) -> None:
    assert bucket.put_object("a.mp3", b"sound").crc
    assert bucket.get_object("a.mp3").read() == b"sound"
    assert bucket.head_object("a.mp3").content_length == 5
    assert bucket.copy_object(bucket.bucket_name, "a.mp3", "b.mp3").etag
    assert [stored.key for stored in bucket.list_objects().object_list] == ["a.mp3", "b.mp3"]
    assert bucket.delete_object("b.mp3").status == 204
    assert bucket.batch_delete_objects(["a.mp3"]).deleted_keys == ["a.mp3"]
    assert bucket.get_bucket_info().location == "oss-cn-beijing"


def speak_of_parts(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload("film.mp4").upload_id
    contents = [b"a" * PART, b"b"]
    sent = [bucket.upload_part("film.mp4", upload_id, n, data).etag for n, data in enumerate(contents, 1)]
    assert [part.etag for part in bucket.list_parts("film.mp4", upload_id).parts] == sent
    parts = [PartInfo(n, etag) for n, etag in enumerate(sent, 1)]
    assert bucket.complete_multipart_upload("film.mp4", upload_id, parts).crc
    abandoned = bucket.init_multipart_upload("film.mp4").upload_id
    assert [upload.upload_id for upload in bucket.list_multipart_uploads().upload_list] == [abandoned]
    assert bucket.abort_multipart_upload("film.mp4", abandoned).status == 204


def test_the_page_gives_each_call_to_one_sdk() -> None:
    assert proved_by("oss2") & proved_by("dashscope") == set()
    assert proved_by("dashscope") == {"submit", "query", "list", "cancel"}
