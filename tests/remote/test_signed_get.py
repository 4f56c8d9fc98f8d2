"""A signed URL is fetched as by a stranger, and what refuses it is told without showing it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from dropscribe.errors import OutOfOrder
from dropscribe.remote.ports import Unreachable
from dropscribe.remote.signed_get import LARGEST, signed_get
from remote.servers import storage

SECRET = "x-oss-signature=very-secret"


OSS = {"x-oss-request-id": "r1"}


def error_of(status: int, body: bytes = b"", **headers: str) -> OutOfOrder:
    with storage(lambda _: (status, OSS | headers, body)) as server, pytest.raises(OutOfOrder) as caught:
        signed_get(f"{server.url}/bucket/key?{SECRET}", 5.0)
    return caught.value


def test_what_the_url_gives_is_given() -> None:
    with storage(lambda _: (200, OSS, b"content")) as server:
        assert signed_get(f"{server.url}/bucket/key?{SECRET}", 5.0) == b"content"
    [seen] = server.seen
    assert "authorization" not in seen.headers


@pytest.mark.parametrize(
    ("status", "code", "part"),
    [
        (400, "PublicEndpointForbidden", "storage.cname"),
        (403, "AccessDenied", "oss:GetObject"),
        (403, "RequestTimeTooSkewed", "clock"),
        (404, "NoSuchBucket", "storage.bucket"),
    ],
)
def test_a_refusal_has_the_storages_own_code_and_its_remedy(status: int, code: str, part: str) -> None:
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()

    fault = error_of(status, body)

    assert (fault.scope, fault.code) == ("downloads", code)
    assert part in fault.remedy


def test_a_refusal_without_a_reason_is_told_by_its_status() -> None:
    assert error_of(418).code == "HTTP 418"


def test_a_redirect_is_not_followed_for_it_breaks_the_signature() -> None:
    fault = error_of(302, Location="http://127.0.0.1:9/elsewhere")

    assert (fault.code, "public_endpoint" in fault.remedy) == ("Redirected", True)


def test_an_endpoint_that_nobody_answers_at_is_unreachable_and_the_url_is_not_shown() -> None:
    with pytest.raises(Unreachable) as caught:
        signed_get(f"http://127.0.0.1:9/bucket/key?{SECRET}", 5.0)

    assert "secret" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("status", [200, 302, 403, 407, 502])
def test_somebody_between_who_does_not_speak_like_the_storage_says_nothing_about_it(status: int) -> None:
    """A proxy's refusal, a log-in page."""
    with (
        storage(lambda _: (status, {"Location": "http://127.0.0.1:9/login"}, b"<html>Log in</html>")) as server,
        pytest.raises(Unreachable),
    ):
        signed_get(f"{server.url}/bucket/key?{SECRET}", 5.0)


@pytest.mark.parametrize("host", ["media..example.com", "a" * 70 + ".example.com"])
def test_a_host_that_cannot_be_one_is_unreachable(host: str) -> None:
    with pytest.raises(Unreachable):
        signed_get(f"http://{host}/bucket/key?{SECRET}", 5.0)


def test_a_code_that_is_none_is_not_repeated() -> None:
    assert error_of(403, b"<Error><Code>look at https://evil.example/?sig=1</Code></Error>").code == "HTTP 403"


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden"])
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for_without_end(status: bytes) -> None:
    head = b"HTTP/1.1 %b\r\nx-oss-request-id: r1\r\nContent-Length: 60000\r\n\r\n" % status
    with dripping(head) as url, pytest.raises((Unreachable, OutOfOrder)):
        signed_get(f"{url}/bucket/key?{SECRET}", 0.2)


def test_headers_that_come_byte_by_byte_are_not_waited_for_without_end() -> None:
    with dripping(b"HTTP/1.1 200 OK\r\nx-oss-request-id: r1\r\nx-padding: ") as url, pytest.raises(Unreachable):
        signed_get(f"{url}/bucket/key?{SECRET}", 0.2)


def test_more_than_any_object_of_ours_is_not_the_storages() -> None:
    with storage(lambda _: (200, OSS, b"x" * (LARGEST + 1))) as server, pytest.raises(Unreachable):
        signed_get(f"{server.url}/bucket/key?{SECRET}", 5.0)


@contextlib.contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that gives a byte as often as it may, and never ends."""
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(head)
                while not gone.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        gone.set()
        thread.join()
