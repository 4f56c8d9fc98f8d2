"""The object store against a storage that does as it is told."""

import contextlib
import io
import logging
import socket
import threading
from collections.abc import Iterator

import pytest

from dropscribe.config.settings import StorageSettings
from dropscribe.errors import Misconfigured, OutOfOrder, Refused, SourceChanged
from dropscribe.model import Part, Secret
from dropscribe.remote.oss import OssStore
from dropscribe.remote.ports import NoSuchUpload
from remote.servers import Reply, Seen, storage

KEY = "drops/0123/abc.mp3"
CRC = {"x-oss-hash-crc64ecma": "18446744073709551615"}
CRC_VALUE = 2**64 - 1


def settings(endpoint: str, **changes: object) -> StorageSettings:
    values: dict[str, object] = {
        "provider": "oss",
        "bucket": "my-bucket",
        "region": "cn-beijing",
        "endpoint": endpoint,
        "public_endpoint": endpoint,
        "cname": False,
        "access_key_id": "the-key-id",
        "access_key_secret": Secret("the-secret"),
        "session_token": None,
        "ram_role": None,
        "prefix": "drops/",
        "url_lifetime": 172_800.0,
        "uploads": 4,
        "multipart_above": 100_000_000,
    }
    return StorageSettings(**(values | changes))  # type: ignore[arg-type]


def store(endpoint: str, **changes: object) -> OssStore:
    return OssStore(settings(endpoint, **changes), sleep=lambda seconds: None, timeouts=(10.0, 10.0))


def error(status: int, code: str, message: str = "m", ec: str = "") -> Reply:
    xml = f"<Error><Code>{code}</Code><Message>{message}</Message><EC>{ec}</EC></Error>"
    return status, {"x-oss-request-id": "r1"}, xml.encode()


def always(reply: Reply):
    return lambda seen: reply


@contextlib.contextmanager
def raw_storage(answer: bytes) -> Iterator[str]:
    """Gives each connection these very bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def in_turn(*replies: Reply):
    left = list(replies)
    return lambda seen: left.pop(0) if len(left) > 1 else left[0]


def test_an_object_is_put_privately_and_the_servers_checksum_comes_back():
    with storage(always((200, CRC, b""))) as server:
        crc = store(server.url).put(KEY, io.BytesIO(b"hello world"), 5)

    (seen,) = server.seen
    assert crc == CRC_VALUE
    assert (seen.method, seen.path, seen.body) == ("PUT", "/my-bucket/drops%2F0123%2Fabc.mp3", b"hello")
    assert seen.headers["x-oss-object-acl"] == "private"
    assert seen.headers["content-type"] == "application/octet-stream"
    assert seen.headers["authorization"].startswith("OSS4-HMAC-SHA256 Credential=the-key-id/")


def test_an_upload_is_signed_for_its_temporary_credentials():
    with storage(always((200, CRC, b""))) as server:
        store(server.url, session_token=Secret("tok")).put(KEY, io.BytesIO(b"x"), 1)

    assert server.seen[0].headers["x-oss-security-token"] == "tok"


def test_a_checksum_missing_from_the_answer_is_asked_for():
    with storage(lambda seen: (200, CRC if seen.method == "HEAD" else {}, b"")) as server:
        assert store(server.url).put(KEY, io.BytesIO(b"x"), 1) == CRC_VALUE


def test_a_storage_without_checksums_is_out_of_order():
    with storage(always((200, {}, b""))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert (caught.value.scope, caught.value.code) == ("storage", "NoChecksum")


class Stop(Exception):
    """What an upload's reader raises to cut it."""


class Cutting(io.RawIOBase):
    def __init__(self, error: BaseException) -> None:
        self.error, self.reads = error, 0

    def read(self, amount: int = -1) -> bytes:
        self.reads += 1
        if self.reads > 2:
            raise self.error
        return b"x" * amount


@pytest.mark.parametrize("error", [Stop(), OSError(5, "Input/output error"), BrokenPipeError(), TimeoutError()])
@pytest.mark.parametrize("way", ["put", "put_part"])
def test_what_the_source_raises_comes_through_unchanged_and_nothing_is_stored(error, way):
    with storage(always((200, CRC, b""))) as server, pytest.raises(type(error)) as caught:
        if way == "put":
            store(server.url).put(KEY, Cutting(error), 10**6)
        else:
            store(server.url).put_part(KEY, "u1", 1, Cutting(error), 10**6)

    assert caught.value is error
    assert server.seen == []


def test_a_file_that_became_shorter_is_not_stored():
    with storage(always((200, CRC, b""))) as server, pytest.raises(SourceChanged):
        store(server.url).put(KEY, io.BytesIO(b"short"), 100)

    assert server.seen == []


def test_an_upload_is_never_repeated_here():
    with storage(always(error(503, "ServiceBusy"))) as server, pytest.raises(OutOfOrder):
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (error(400, "PublicEndpointForbidden", ec="0048-00000401"), "storage.cname"),
        (error(403, "RequestTimeTooSkewed"), "clock"),
        (error(404, "NoSuchBucket"), "storage.bucket"),
        (error(500, "InternalError"), "again"),
        ((302, {"Location": "http://127.0.0.1:1/x?x-oss-signature=s"}, b""), "storage.region"),
        ((403, {}, b"<html>"), "oss:PutObject"),
    ],
)
def test_a_storage_that_refuses_is_out_of_order_and_blames_no_file(reply, word):
    with storage(always(reply)) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert caught.value.scope == "storage"
    assert word in caught.value.remedy
    assert len(server.seen) == 1


def test_an_object_name_that_is_refused_refuses_the_file():
    with storage(always(error(400, "InvalidObjectName"))) as server, pytest.raises(Refused) as caught:
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert (caught.value.code, caught.value.request_id) == ("InvalidObjectName", "r1")


def test_what_is_said_shows_neither_key_nor_signature():
    said = error(403, "AccessDenied", f"no right to {KEY}, see http://h/x?x-oss-signature=s")
    with storage(always(said)) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert caught.value.message == "no right to <key>, see <url>"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_storage_that_cannot_be_reached_is_out_of_order_in_plain_words():
    with storage(always((200, {}, b""))) as server:
        pass

    with pytest.raises(OutOfOrder) as caught:
        store(server.url).head(KEY)

    assert caught.value.message == "the storage cannot be reached: Connection refused"


def test_a_storage_that_does_not_answer_in_time_is_out_of_order():
    quiet = threading.Event()
    with storage(lambda seen: quiet.wait(5) and (200, {}, b"")) as server:
        slow = OssStore(settings(server.url), sleep=lambda seconds: None, timeouts=(1.0, 0.05))
        with pytest.raises(OutOfOrder) as caught:
            slow.put(KEY, io.BytesIO(b"x"), 1)
        quiet.set()

    assert "in time" in caught.value.message


def test_a_page_that_is_not_the_storages_is_out_of_order():
    with storage(always((200, {}, b"<html>log in</p>"))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).list_parts(KEY, "u1")

    assert caught.value.code == "UnreadableAnswer"


# Parts


def parts_page(*numbers: int, more: bool) -> Reply:
    rows = "".join(
        f'<Part><PartNumber>{n}</PartNumber><ETag>"E{n}"</ETag><Size>{n}00</Size>'
        "<LastModified>2026-11-20T10:00:00.000Z</LastModified></Part>"
        for n in numbers
    )
    truncated = "true" if more else "false"
    head = f"<IsTruncated>{truncated}</IsTruncated><NextPartNumberMarker>{numbers[-1]}</NextPartNumberMarker>"
    return 200, {}, f"<ListPartsResult>{head}{rows}</ListPartsResult>".encode()


def test_a_multipart_upload_begins_with_an_id():
    body = b"<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
    with storage(always((200, {}, body))) as server:
        assert store(server.url).initiate(KEY) == "u1"

    assert server.seen[0].headers["content-type"] == "application/octet-stream"


def test_a_part_comes_back_with_what_the_storage_says_of_it():
    with storage(always((200, CRC | {"ETag": '"E1"'}, b""))) as server:
        part = store(server.url).put_part(KEY, "u1", 3, io.BytesIO(b"hello world"), 5)

    assert part == Part(3, 5, "E1", CRC_VALUE)
    assert server.seen[0].body == b"hello"


def test_all_pages_of_parts_are_read():
    with storage(in_turn(parts_page(1, 2, more=True), parts_page(3, more=False))) as server:
        parts = store(server.url).list_parts(KEY, "u1")

    assert [(part.number, part.size, part.etag) for part in parts] == [(1, 100, "E1"), (2, 200, "E2"), (3, 300, "E3")]
    assert "part-number-marker=2" in server.seen[1].path


def test_completing_gives_the_checksum_of_the_whole_and_keeps_it_private():
    body = b"<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>"
    with storage(always((200, CRC, body))) as server:
        crc = store(server.url).complete(KEY, "u1", [Part(2, 5, "E2"), Part(1, 5, "E1")])

    seen = server.seen[0]
    assert crc == CRC_VALUE
    assert seen.headers["x-oss-object-acl"] == "private"
    assert seen.body.index(b"E1") < seen.body.index(b"E2")


@pytest.mark.parametrize("code", ["NoSuchUpload", "InvalidPart"])
def test_an_upload_the_storage_has_forgotten_is_named(code):
    status = 404 if code == "NoSuchUpload" else 400
    with storage(always(error(status, code))) as server:
        for call in (
            lambda s: s.put_part(KEY, "u1", 1, io.BytesIO(b"x"), 1),
            lambda s: s.list_parts(KEY, "u1"),
            lambda s: s.complete(KEY, "u1", [Part(1, 1, "E")]),
        ):
            with pytest.raises(NoSuchUpload):
                call(store(server.url))


def test_aborting_what_does_not_exist_is_fine():
    with storage(always(error(404, "NoSuchUpload"))) as server:
        store(server.url).abort(KEY, "u1")

    assert "uploadId=u1" in server.seen[0].path


def uploads_page(*uploads: tuple[str, str], more: bool = False) -> Reply:
    rows = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{upload}</UploadId><Initiated>2026-11-20T10:00:00.000Z</Initiated></Upload>"
        for key, upload in uploads
    )
    key, upload = uploads[-1]
    head = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    next_one = f"<NextKeyMarker>{key}</NextKeyMarker><NextUploadIdMarker>{upload}</NextUploadIdMarker>"
    xml = f"<ListMultipartUploadsResult>{head}{next_one}{rows}</ListMultipartUploadsResult>"
    return 200, {}, xml.encode()


def test_only_unfinished_uploads_of_exactly_this_key_are_ours():
    pages = in_turn(uploads_page((KEY, "u1"), (KEY, "u2"), more=True), uploads_page((KEY + "4", "foreign")))
    with storage(pages) as server:
        assert store(server.url).unfinished(KEY) == ["u1", "u2"]

    assert "upload-id-marker=u2" in server.seen[1].path


@pytest.mark.parametrize(
    "reply",
    [
        error(403, "AccessDenied"),
        error(405, "MethodNotAllowed"),
        error(501, "NotImplemented"),
        (404, {}, b""),
        (200, {}, b"<ListMultipartUploadsResult/>"),
    ],
)
def test_where_unfinished_uploads_are_not_listed_for_us_there_are_none(reply):
    with storage(always(reply)) as server:
        assert store(server.url).unfinished(KEY) == []
        assert not store(server.url).may_list_uploads(KEY)


@pytest.mark.parametrize("reply", [error(503, "ServiceUnavailable"), error(404, "NoSuchBucket")])
def test_a_storage_that_cannot_list_now_is_not_taken_for_one_that_never_does(reply):
    with storage(always(reply)) as server, pytest.raises(OutOfOrder):
        store(server.url).unfinished(KEY)


# Small calls


def test_a_head_tells_size_and_checksum():
    with storage(always((200, CRC | {"Content-Length": "7"}, b""))) as server:
        assert store(server.url).head(KEY) == (7, CRC_VALUE)


def test_an_object_that_is_not_there_has_no_head():
    with storage(always((404, {}, b""))) as server:
        assert store(server.url).head(KEY) is None


@pytest.mark.parametrize("reply", [(204, {}, b""), error(404, "NoSuchKey")])
def test_deleting_is_fine_whether_there_was_an_object_or_not(reply):
    with storage(always(reply)) as server:
        store(server.url).delete(KEY)

    assert server.seen[0].method == "DELETE"


@pytest.mark.parametrize("reply", [(404, {}, b"<html>"), error(404, "NoSuchBucket")])
def test_an_object_counts_as_deleted_only_when_the_storage_says_so(reply):
    with storage(always(reply)) as server, pytest.raises(OutOfOrder):
        store(server.url).delete(KEY)


def deleted(*keys: str) -> Reply:
    rows = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
    return 200, {}, f"<DeleteResult>{rows}</DeleteResult>".encode()


def test_many_objects_are_deleted_in_one_request():
    with storage(always(deleted("a", "b"))) as server:
        store(server.url).delete_many(["a", "b"])
        store(server.url).delete_many([])

    assert len(server.seen) == 1
    assert b"<Key>a</Key>" in server.seen[0].body


def test_objects_that_were_not_deleted_are_not_taken_for_deleted():
    with storage(always(deleted("a"))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).delete_many(["a", "b"])

    assert caught.value.code == "DeleteIncomplete"


def test_what_was_not_named_as_deleted_but_is_gone_counts_as_deleted():
    with storage(in_turn(deleted("a"), (404, {}, b""))) as server:
        store(server.url).delete_many(["a", "b"])

    assert [seen.method for seen in server.seen] == ["POST", "HEAD"]


@pytest.mark.parametrize("reply", [error(501, "NotImplemented"), (404, {}, b""), (405, {}, b"<p"), (200, {}, b"<p")])
def test_where_many_cannot_be_deleted_at_once_each_is_deleted_on_its_own(reply):
    with storage(lambda seen: reply if seen.method == "POST" else (204, {}, b"")) as server:
        store(server.url).delete_many(["a", "b"])

    assert [seen.path for seen in server.seen if seen.method == "DELETE"] == ["/my-bucket/a", "/my-bucket/b"]


def test_a_log_in_page_deletes_nothing():
    with storage(always((200, {}, b"<html>log in</p>"))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).delete_many(["a", "b"])

    assert caught.value.code == "UnreadableAnswer"


def test_small_calls_are_repeated_within_seconds_with_waits():
    waits: list[float] = []
    with storage(in_turn(error(503, "ServiceBusy"), error(500, "InternalError"), (204, {}, b""))) as server:
        OssStore(settings(server.url), sleep=waits.append).delete(KEY)

    assert len(server.seen) == 3
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 1.5


def test_what_will_not_pass_is_not_repeated():
    with storage(always(error(403, "AccessDenied"))) as server, pytest.raises(OutOfOrder):
        store(server.url).delete(KEY)

    assert len(server.seen) == 1


# Addresses


def test_urls_point_to_the_public_endpoint_and_are_signed_in_their_query():
    adapter = store("https://oss-internal.example.com", public_endpoint="https://oss-cn-beijing.aliyuncs.com")

    url = adapter.signed_url(KEY, 3600.9)

    assert url.startswith("https://my-bucket.oss-cn-beijing.aliyuncs.com/drops/0123/abc.mp3?")
    assert "x-oss-signature-version=OSS4-HMAC-SHA256" in url
    assert "x-oss-expires=3600&" in url
    assert "the-secret" not in url


def test_a_custom_domain_stands_for_the_bucket():
    adapter = store("https://media.example.com", cname=True)

    assert adapter.signed_url(KEY, 3600).startswith("https://media.example.com/drops/0123/abc.mp3?")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_stand_in_is_addressed_path_style(host):
    assert store(f"http://{host}:9000").signed_url(KEY, 60).startswith(f"http://{host}:9000/my-bucket/drops/")


@pytest.mark.parametrize(("asked", "given"), [(1e9, 604_800), (604_800, 604_800), (0.2, 1)])
def test_no_url_lives_longer_than_the_storage_allows(asked, given):
    assert f"x-oss-expires={given}&" in store("https://h.example.com").signed_url(KEY, asked)


@pytest.mark.parametrize(
    ("changes", "path"), [({"bucket": "No Such Name"}, "storage.bucket"), ({"endpoint": "h t"}, "storage.endpoint")]
)
def test_a_setting_oss_cannot_use_is_a_fault_of_the_configuration(changes, path):
    with pytest.raises(Misconfigured) as caught:
        OssStore(settings(**({"endpoint": "https://h.example.com"} | changes)))

    assert caught.value.problems[0].path == path


# Quiet


def test_nothing_of_oss2_is_logged(caplog):
    with caplog.at_level(logging.DEBUG), storage(always(error(403, "AccessDenied"))) as server:
        adapter = store(server.url)
        adapter.signed_url(KEY, 60)
        with pytest.raises(OutOfOrder):
            adapter.delete(KEY)

    assert caplog.records == []


def test_a_netrc_file_replaces_no_signature(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password pass\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with storage(always((200, CRC, b""))) as server:
        store(server.url).put(KEY, io.BytesIO(b"x"), 1)

    assert server.seen[0].headers["authorization"].startswith("OSS4-")


def test_connections_are_used_again_after_every_kind_of_call():
    addresses: set[str] = set()

    def reply(seen: Seen) -> Reply:
        addresses.add(threading.current_thread().name)  # the server has one thread for each connection
        if seen.method == "POST":
            return 200, CRC, b"<CompleteMultipartUploadResult/>"
        return 200, CRC | {"ETag": '"E"'}, b""

    with storage(reply) as server:
        adapter = store(server.url)
        for _ in range(3):
            adapter.put(KEY, io.BytesIO(b"x"), 1)
            adapter.put_part(KEY, "u", 1, io.BytesIO(b"x"), 1)
            adapter.complete(KEY, "u", [Part(1, 1, "E")])
            adapter.head(KEY)
            adapter.delete(KEY)

    assert len(addresses) == 1


PART = b"<Part><PartNumber>1</PartNumber></Part>"


@pytest.mark.parametrize("filling", [b" " * 9_000_000, PART * 300_000], ids=["of nothing", "of parts"])
def test_an_answer_larger_than_any_list_is_not_read_to_its_end(filling: bytes) -> None:
    body = b"<ListPartsResult>" + filling + b"</ListPartsResult>"
    with storage(always((200, {}, body))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).list_parts(KEY, "u1")

    assert caught.value.code == "UnreadableAnswer"


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 11))
    + b"]><ListPartsResult><UploadId>&l10;</UploadId></ListPartsResult>"
)


def test_entities_that_unfold_into_gigabytes_are_not_unfolded():
    with storage(always((200, {}, BOMB))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).list_parts(KEY, "u1")

    assert caught.value.code == "UnreadableAnswer"


def test_a_file_that_an_answer_names_as_an_entity_is_not_read(tmp_path):
    (tmp_path / "secret").write_text("a secret")
    entity = f'<!DOCTYPE Error [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
    body = f"{entity}<Error><Code>Odd</Code><Message>&x;</Message></Error>".encode()
    with storage(always((400, {"x-oss-request-id": "r1"}, body))) as server, pytest.raises(OutOfOrder) as caught:
        store(server.url).abort(KEY, "u1")

    assert "a secret" not in str(caught.value)


def test_a_list_that_comes_in_chunks_is_read_whole():
    dated = "<LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    parts = "".join(f"<Part><PartNumber>{n}</PartNumber><Size>5</Size><ETag>e</ETag>{dated}</Part>" for n in range(999))
    end = "<IsTruncated>false</IsTruncated><NextPartNumberMarker>999</NextPartNumberMarker>"
    body = f"<ListPartsResult>{end}{parts}</ListPartsResult>".encode()
    pieces = (body[start : start + 997] for start in range(0, len(body), 997))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_storage(head + chunks + b"0\r\n\r\n") as url:
        assert len(store(url).list_parts(KEY, "u1")) == 999
