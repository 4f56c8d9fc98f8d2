"""The recogniser against servers that misbehave at every possible moment."""

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import struct

import pytest

from clocks import FakeClock
from dropscribe.config.settings import ModelStudioSettings, PollSettings
from dropscribe.errors import Ambiguous, OutOfOrder, RequestRefused, TryLater
from dropscribe.model import Secret
from dropscribe.remote.http import Timeouts
from dropscribe.remote.model_studio import ModelStudio
from dropscribe.remote.ports import ResultGone, TooLate
from remote.servers import RawServer, answering, make_certificate, raw_server, response

KEY = "sk-very-secret"
ACCEPTED = {"request_id": "r1", "output": {"task_id": "t1", "task_status": "PENDING"}}
PATIENT = Timeouts(connect=10, call=10, stall=10, download=10)


def settings(endpoint: str, key: str = KEY) -> ModelStudioSettings:
    return ModelStudioSettings(endpoint, Secret(key), 100, 8.0, 15.0, 180.0, PollSettings(2.0, 30.0))


@contextlib.asynccontextmanager
async def studio(endpoint: str, clock: FakeClock | None = None, timeouts: Timeouts = PATIENT):
    adapter = ModelStudio(settings(endpoint), clock or FakeClock(), timeouts=timeouts)
    try:
        yield adapter
    finally:
        await adapter.close()


async def submit(adapter: ModelStudio, may_send=lambda: True, **parameters):
    return await adapter.submit("fun-asr", ["https://b/a.mp3?x-oss-signature=s"], parameters, may_send)


def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a RST instead of a FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def a_free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# Submit: what is definite


async def test_a_submit_sends_the_documented_request_and_gives_the_task():
    async with answering(response(200, ACCEPTED)) as server, studio(server.url) as adapter:
        accepted = await submit(adapter, channel_id=[0])

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert (accepted.task_id, accepted.request_id) == ("t1", "r1")
    assert head.startswith(b"POST /api/v1/services/audio/asr/transcription HTTP/1.1\r\n")
    assert b"Authorization: Bearer sk-very-secret" in head
    assert b"X-DashScope-Async: enable" in head
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {
        "model": "fun-asr",
        "input": {"file_urls": ["https://b/a.mp3?x-oss-signature=s"]},
        "parameters": {"channel_id": [0]},
    }


async def test_every_submit_has_a_connection_of_its_own():
    async with answering(response(200, ACCEPTED)) as server, studio(server.url) as adapter:
        for _ in range(3):
            await submit(adapter)

    assert server.connections == 3


async def test_nothing_is_sent_when_the_moment_has_passed():
    asked = []

    def too_late() -> bool:
        asked.append(server.connections)
        return False

    async with answering(response(200, ACCEPTED)) as server, studio(server.url) as adapter:
        with pytest.raises(TooLate):
            await submit(adapter, too_late)
        await asyncio.sleep(0)

    assert len(asked) == 1
    assert server.requests == []


async def test_the_last_moment_is_after_the_turn_and_after_the_connection():
    order: list[str] = []

    class Clock(FakeClock):
        async def sleep(self, seconds: float) -> None:
            order.append("turn")
            await super().sleep(seconds)

    async def act(reader, writer) -> None:
        order.append("connection")
        await server.read(reader)
        writer.write(response(200, ACCEPTED))

    def may_send() -> bool:
        order.append("asked")
        return True

    async with raw_server(act) as server, studio(server.url, Clock()) as adapter:
        await submit(adapter)
        order.clear()
        await submit(adapter, may_send)

    assert order.index("turn") < order.index("asked")
    assert "connection" in order


async def test_a_refused_connection_is_definite():
    asked = []
    async with studio(f"http://127.0.0.1:{a_free_port()}") as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter, lambda: asked.append(1) or True)

    assert (caught.value.scope, caught.value.code) == ("api", "Unreachable")
    assert asked == []


async def test_a_name_that_does_not_resolve_is_definite():
    async with studio("http://nowhere.invalid") as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter)

    assert caught.value.scope == "api"


async def test_a_tls_handshake_that_fails_is_definite():
    async def not_tls(reader, writer) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 no TLS here\r\n\r\n")
        await writer.drain()

    async with raw_server(not_tls) as server, studio(server.url.replace("http:", "https:")) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter)

    assert "TLS" in caught.value.message


async def test_a_tls_handshake_that_hangs_is_definite():
    async def silent(reader, writer) -> None:
        await asyncio.sleep(5)

    async with raw_server(silent) as server:
        endpoint = server.url.replace("http:", "https:")
        async with studio(endpoint, timeouts=Timeouts(connect=0.2, call=5)) as adapter:
            with pytest.raises(OutOfOrder):
                await submit(adapter)


@pytest.mark.parametrize(
    ("status", "code", "kind", "scope"),
    [
        (401, "InvalidApiKey", OutOfOrder, "api"),
        (404, "ModelNotFound", OutOfOrder, "model:fun-asr"),
        (400, "InvalidParameter", RequestRefused, None),
        (429, "Throttling.RateQuota", OutOfOrder, "model:fun-asr"),
    ],
)
async def test_a_4xx_is_definite(status, code, kind, scope):
    said = {"code": code, "message": "m", "request_id": "r"}
    async with answering(response(status, said)) as server, studio(server.url) as adapter:
        with pytest.raises(kind) as caught:
            await submit(adapter)

    assert caught.value.code == code
    assert caught.value.request_id == "r"
    assert getattr(caught.value, "scope", None) == scope


async def test_a_4xx_whose_body_is_cut_short_is_still_definite():
    async def act(reader, writer) -> None:
        await server.read(reader)
        writer.write(b"HTTP/1.1 403 X\r\nContent-Length: 900\r\n\r\n<html>")

    async with raw_server(act) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder):
            await submit(adapter)


async def test_an_endless_error_body_is_not_read_to_its_end():
    async def act(reader, writer) -> None:
        await server.read(reader)
        writer.write(b"HTTP/1.1 401 X\r\nContent-Length: 99999999\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with raw_server(act) as server, studio(server.url, timeouts=Timeouts(call=20)) as adapter:
        with pytest.raises(OutOfOrder):
            await asyncio.wait_for(submit(adapter), 5)


# Submit: what is not


async def closes_at_once(server: RawServer, reader, writer) -> None:
    return


async def closes_after_reading(server: RawServer, reader, writer) -> None:
    await server.read(reader)


async def resets_after_reading(server: RawServer, reader, writer) -> None:
    await server.read(reader)
    reset(writer)


async def resets_while_reading(server: RawServer, reader, writer) -> None:
    await reader.read(10)
    reset(writer)


async def never_answers(server: RawServer, reader, writer) -> None:
    await server.read(reader)
    await asyncio.sleep(5)


async def never_reads(server: RawServer, reader, writer) -> None:
    await asyncio.sleep(5)


async def cuts_its_status_line(server: RawServer, reader, writer) -> None:
    await server.read(reader)
    writer.write(b"HTTP/1.1 20")


async def cuts_its_body(server: RawServer, reader, writer) -> None:
    await server.read(reader)
    writer.write(response(200, ACCEPTED)[:-10])


async def speaks_nonsense(server: RawServer, reader, writer) -> None:
    await server.read(reader)
    writer.write(b"\x00\x01 nonsense\r\n\r\n")


def says(answer: bytes):
    async def act(server: RawServer, reader, writer) -> None:
        await server.read(reader)
        writer.write(answer)

    return act


AMBIGUOUS = {
    "closes at once": closes_at_once,
    "closes after reading": closes_after_reading,
    "resets after reading": resets_after_reading,
    "resets while reading": resets_while_reading,
    "never answers": never_answers,
    "never reads": never_reads,
    "cuts its status line": cuts_its_status_line,
    "cuts its body": cuts_its_body,
    "speaks nonsense": speaks_nonsense,
    "500": says(response(500, {"code": "InternalError"})),
    "502 in HTML": says(response(502, b"<html>")),
    "503 with Retry-After": says(response(503, b"", Retry_After="1")),
    "408": says(response(408, b"")),
    "redirect": says(response(307, b"", Location="/elsewhere")),
    "success without a task": says(response(200, {"request_id": "r", "output": {}})),
    "success in HTML": says(response(200, b"<html>")),
    "success with an error inside": says(response(200, {"code": "InternalError", "message": "m"})),
    "success too large": says(b"HTTP/1.1 200 X\r\nContent-Length: 99999999\r\n\r\n{"),
}


@pytest.mark.parametrize("how", AMBIGUOUS)
async def test_a_submit_that_may_have_arrived_is_ambiguous_and_sent_once(how):
    async def act(reader, writer) -> None:
        await AMBIGUOUS[how](server, reader, writer)

    async with raw_server(act) as server, studio(server.url, timeouts=Timeouts(connect=5, call=0.6)) as adapter:
        with pytest.raises(Ambiguous) as caught:
            await submit(adapter)

    assert server.connections == 1
    assert len(server.requests) <= 1
    assert KEY not in str(caught.value)
    assert "http:" not in str(caught.value)


async def test_a_submit_that_is_cancelled_says_so_unchanged():
    async def act(reader, writer) -> None:
        await server.read(reader)
        arrived.set()
        await asyncio.sleep(5)

    arrived = asyncio.Event()
    async with raw_server(act) as server, studio(server.url, timeouts=Timeouts()) as adapter:
        task = asyncio.create_task(submit(adapter))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# Pace


async def test_a_429_quiets_this_models_submits_and_nothing_else():
    clock = FakeClock()
    throttled = response(429, {"code": "Throttling"}, Retry_After="30")
    async with answering(throttled, response(200, ACCEPTED)) as server, studio(server.url, clock) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter)
        await adapter.submit("fun-asr-mtl", [], {}, lambda: True)
        other_model = clock.monotonic()
        await submit(adapter)

    assert (caught.value.quiet, caught.value.retry_after) == (True, 30.0)
    assert other_model < 1
    assert clock.monotonic() >= 30


async def test_a_429_without_a_time_says_how_long_the_house_waits():
    async with answering(response(429, b"")) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter)

    assert caught.value.retry_after == 1.0


async def test_an_unpaid_bill_under_429_is_no_slow_down():
    async with answering(response(429, {"code": "PostpaidBillOverdue"})) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await submit(adapter)

    assert (caught.value.scope, caught.value.quiet, caught.value.retry_after) == ("submits", False, None)


async def test_submits_are_spread_over_the_second():
    clock = FakeClock()
    async with answering(response(200, ACCEPTED)) as server, studio(server.url, clock) as adapter:
        for _ in range(9):
            await submit(adapter)

    assert clock.monotonic() == pytest.approx(1.0)


async def test_queries_and_lists_share_one_pace():
    clock = FakeClock()
    both = {"data": [], "output": {"task_status": "RUNNING"}}
    async with answering(response(200, both)) as server, studio(server.url, clock) as adapter:
        for _ in range(8):
            await adapter.query("t1")
            await adapter.list_tasks(None)

    assert clock.monotonic() == pytest.approx(1.0)


# Query


def running(task_id: str = "t1") -> bytes:
    return response(200, {"output": {"task_id": task_id, "task_status": "RUNNING"}})


async def test_a_query_asks_for_its_task_over_a_kept_connection():
    async with answering(running()) as server, studio(server.url) as adapter:
        for _ in range(3):
            report = await adapter.query("t1")

    assert report.status == "RUNNING"
    assert server.requests[0].startswith(b"GET /api/v1/tasks/t1 HTTP/1.1\r\n")
    assert server.connections == 1


async def test_a_query_survives_a_service_that_stumbles():
    async with (
        answering(response(500, b""), response(200, b"<html>"), running()) as server,
        studio(server.url) as adapter,
    ):
        assert (await adapter.query("t1")).status == "RUNNING"


async def test_a_service_that_stays_down_is_out_of_order_and_says_its_code():
    clock = FakeClock()
    async with (
        answering(response(503, {"code": "ServiceUnavailable", "message": "m"})) as server,
        studio(server.url, clock) as adapter,
    ):
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t1")

    assert (caught.value.scope, caught.value.code) == ("queries", "ServiceUnavailable")
    assert len(server.requests) == 4
    assert max(clock.slept) >= 2


async def test_a_query_during_a_429_is_not_repeated_and_quiets_all_queries():
    clock = FakeClock()
    async with (
        answering(response(429, b"", Retry_After="20"), running()) as server,
        studio(server.url, clock) as adapter,
    ):
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t1")
        asked = len(server.requests)
        await adapter.query("t1")

    assert (asked, caught.value.quiet) == (1, True)
    assert clock.monotonic() >= 20


async def test_an_answer_about_another_task_is_never_taken_for_ours():
    async with answering(running("t2")) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t1")

    assert caught.value.code == "UnreadableAnswer"


async def test_a_redirect_of_the_api_is_not_followed():
    async with answering(response(302, b"", Location="http://127.0.0.1:1/")) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder):
            await adapter.query("t1")

    assert len(server.requests) == 1


async def test_the_key_is_taken_out_of_what_the_service_says():
    said = {"code": "InvalidApiKey", "message": f"Incorrect API key provided: {KEY}"}
    async with answering(response(401, said)) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t1")

    assert KEY not in str(caught.value)


async def test_a_network_fault_is_told_without_addresses():
    async with studio(f"http://127.0.0.1:{a_free_port()}") as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.query("t1")

    assert caught.value.message == "Model Studio cannot be reached: Connection refused"


# The clock, the identity, the environment


async def test_the_servers_time_goes_on_between_its_answers():
    clock = FakeClock()
    dated = response(401, b"", Date="Fri, 20 Nov 2026 10:00:00 GMT")
    async with answering(dated) as server, studio(server.url, clock) as adapter:
        before = adapter.server_time
        with pytest.raises(OutOfOrder):
            await adapter.query("t1")
        clock.advance(5)

        assert before is None
        assert adapter.server_time == 1795168805.0


def test_the_identity_tells_keys_apart_without_showing_them():
    first = ModelStudio(settings("https://a/"), FakeClock()).identity
    other = ModelStudio(settings("https://a", "sk-other"), FakeClock()).identity

    assert first.endpoint == other.endpoint == "https://a"
    assert first.account != other.account
    assert len(first.account) == 16
    assert KEY not in repr(first)


async def test_a_netrc_file_replaces_no_key(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password pass\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with answering(running(), response(200, b"{}")) as server, studio(server.url) as adapter:
        await adapter.query("t1")
        await adapter.fetch(f"{server.url}/result", 100)

    assert b"Authorization: Bearer sk-very-secret" in server.requests[0]
    assert b"authorization" not in server.requests[1].lower()


async def test_the_environments_proxy_is_used(monkeypatch):
    async with answering(running()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with studio("http://api.invalid") as adapter:
            await adapter.query("t1")

    assert proxy.requests[0].startswith(b"GET http://api.invalid/api/v1/tasks/t1 ")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
async def test_a_certificate_nobody_vouches_for_is_definite_and_one_that_is_trusted_works(tmp_path):
    key, certificate = make_certificate(tmp_path)
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=certificate)

    async with answering(response(200, ACCEPTED), tls=secure) as server:
        endpoint = server.url.replace("http:", "https:")
        async with studio(endpoint) as adapter:
            with pytest.raises(OutOfOrder) as caught:
                await submit(adapter)
        adapter = ModelStudio(settings(endpoint), FakeClock(), trusting)
        accepted = await submit(adapter)
        await adapter.close()

    assert "certificate" in caught.value.message
    assert accepted.task_id == "t1"


# The list


def listing(*ids: str, total: int, pages: int = 1) -> bytes:
    rows = [
        {"task_id": each, "status": "RUNNING", "model_name": "fun-asr", "gmt_create": 1795140000109} for each in ids
    ]
    return response(200, {"total": total, "total_page": pages, "page_size": 100, "data": rows})


async def test_the_list_is_read_to_its_last_page():
    async with (
        answering(listing("a", "b", total=3, pages=2), listing("c", total=3, pages=2)) as server,
        studio(server.url) as adapter,
    ):
        tasks = await adapter.list_tasks("fun-asr")

    assert [task.task_id for task in tasks] == ["a", "b", "c"]
    assert b"page_no=2&page_size=100" in server.requests[1]
    assert len(server.requests) == 2


async def test_a_task_that_moves_to_the_next_page_is_listed_once():
    async with (
        answering(listing("a", "b", total=3, pages=2), listing("b", "c", total=4, pages=2)) as server,
        studio(server.url) as adapter,
    ):
        tasks = await adapter.list_tasks(None)

    assert [task.task_id for task in tasks] == ["a", "b", "c"]


async def test_a_part_of_the_list_is_never_given_for_the_whole():
    async with (
        answering(listing("a", "b", total=9, pages=2), listing(total=9)) as server,
        studio(server.url) as adapter,
    ):
        with pytest.raises(OutOfOrder) as caught:
            await adapter.list_tasks(None)

    assert (caught.value.scope, caught.value.code) == ("queries", "IncompleteList")


@pytest.mark.parametrize("second", [response(500, b""), response(200, b"<html>"), response(403, b"")])
async def test_a_page_that_cannot_be_read_spoils_the_list(second):
    async with answering(listing("a", total=2, pages=2), second) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder):
            await adapter.list_tasks(None)


async def test_pages_the_service_finds_too_large_are_asked_for_only_once():
    refused = response(400, {"code": "InvalidParameter", "message": "page_size must be at most 50"})
    async with answering(refused, listing("a", total=1)) as server, studio(server.url) as adapter:
        await adapter.list_tasks(None)
        await adapter.list_tasks(None)

    assert [request.split(b"page_size=")[1].split()[0] for request in server.requests] == [b"100", b"50", b"50"]


async def test_a_service_that_takes_no_page_at_all_is_out_of_order():
    async with answering(response(400, {"code": "InvalidParameter"})) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.list_tasks(None)

    assert (caught.value.scope, len(server.requests)) == ("queries", 4)


async def test_a_list_without_end_is_not_read_for_ever():
    pages = [listing(f"t{n}", total=10**6, pages=10**6) for n in range(9)]
    async with answering(*pages) as server:
        adapter = ModelStudio(settings(server.url), FakeClock(), most_pages=5)
        with pytest.raises(OutOfOrder) as caught:
            await adapter.list_tasks(None)
        await adapter.close()

    assert "5 pages" in caught.value.message


# Results


async def test_a_result_is_fetched_byte_for_byte_and_without_our_name():
    url = "/r/a%2Fb.json?Expires=1&Signature=a%2Bb%3D%7E/c+d"
    async with answering(response(200, b'{"a":1}', Set_Cookie="a=b")) as server, studio(server.url) as adapter:
        first = await adapter.fetch(server.url + url, 100)
        await adapter.fetch(server.url + url, 100)

    assert first == b'{"a":1}'
    assert server.requests[0].startswith(f"GET {url} HTTP/1.1\r\n".encode())
    assert b"authorization" not in server.requests[0].lower()
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_result_that_has_expired_is_gone(status):
    async with answering(response(status, b"<Error/>")) as server, studio(server.url) as adapter:
        with pytest.raises(ResultGone):
            await adapter.fetch(f"{server.url}/r?Signature=secret", 100)


async def test_a_result_larger_than_allowed_is_not_kept():
    chunked = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + b"40\r\n" + b"x" * 64 + b"\r\n0\r\n\r\n"
    async with answering(response(200, b"x" * 64), chunked) as server, studio(server.url) as adapter:
        for _ in range(2):
            with pytest.raises(TryLater) as caught:
                await adapter.fetch(f"{server.url}/r", 63)

    assert caught.value.code == "ResultTooLarge"


@pytest.mark.parametrize(
    "answer", [response(500, b""), response(200, b"12345")[:-2], b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n"]
)
async def test_a_download_that_fails_is_tried_again_and_harms_no_file(answer):
    async def act(reader, writer) -> None:
        await server.read(reader)
        writer.write(answer)

    async with raw_server(act) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder) as caught:
            await adapter.fetch(f"{server.url}/r?Signature=secret", 100)

    assert caught.value.code == "ResultUnreachable"
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 4


async def test_a_download_that_stalls_is_given_up():
    async def act(reader, writer) -> None:
        await server.read(reader)
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n1")
        await writer.drain()
        await asyncio.sleep(5)

    stall = Timeouts(stall=0.05, download=60)
    async with raw_server(act) as server, studio(server.url, timeouts=stall) as adapter:
        with pytest.raises(OutOfOrder):
            await adapter.fetch(f"{server.url}/r", 100)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "nonsense", "", "http://", "ftp://h/x", "http://h:99999/"])
async def test_an_address_that_is_none_is_not_followed(url):
    async with studio("http://127.0.0.1:1") as adapter:
        with pytest.raises(TryLater) as caught:
            await adapter.fetch(url, 100)

    assert caught.value.code == "BadResultAddress"


async def test_a_result_may_move_once_but_not_to_another_kind_of_place():
    async with (
        answering(response(302, b"", Location="/b%2Bc?s=%7E"), response(200, b"ok")) as server,
        studio(server.url) as adapter,
    ):
        assert await adapter.fetch(f"{server.url}/a", 100) == b"ok"
    assert b"GET /b%2Bc?s=%7E " in server.requests[1]

    async with answering(response(302, b"", Location="file:///etc/passwd")) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder):
            await adapter.fetch(f"{server.url}/a", 100)


async def test_results_that_move_in_circles_are_given_up():
    async with answering(response(302, b"", Location="/a")) as server, studio(server.url) as adapter:
        with pytest.raises(OutOfOrder):
            await adapter.fetch(f"{server.url}/a?Signature=secret", 100)

    assert len(server.requests) <= 16
