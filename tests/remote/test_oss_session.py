"""How oss2's requests travel: straight, or through the environment's proxy, and nowhere else."""

import io
import shutil
import ssl

import pytest
import urllib3
from oss2.exceptions import RequestError

from dropscribe.errors import OutOfOrder
from dropscribe.remote.oss import OssStore
from dropscribe.remote.oss_session import Answer
from dropscribe.remote.proxies import proxy_of
from remote.servers import make_certificate, storage
from remote.test_oss import CRC, CRC_VALUE, KEY, always, raw_storage, store


def put(adapter: OssStore) -> int:
    return adapter.put(KEY, io.BytesIO(b"x"), 1)


def through(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_the_environments_proxy_is_used_and_told_who_asks(monkeypatch):
    with storage(always((200, CRC, b""))) as proxy:
        through(monkeypatch, proxy.url.replace("http://", "http://someone:p%40ss@"))
        put(store("http://oss.invalid"))

    assert proxy.seen[0].path == "http://my-bucket.oss.invalid/" + KEY.replace("/", "%2F")
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic c29tZW9uZTpwQHNz"
    assert proxy.seen[0].headers["authorization"].startswith("OSS4-")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://oss.example.com/x", "http://proxy:3128"),
        ("https://oss.example.com/x", None),
        ("http://127.0.0.1:9000/x", None),
        ("http://oss.inside.test/x", None),
    ],
)
def test_a_proxy_is_for_its_scheme_and_never_for_this_machine_or_what_no_proxy_names(monkeypatch, url, expected):
    monkeypatch.setenv("no_proxy", "inside.test")

    assert proxy_of(url, {"http": "http://proxy:3128"}) == expected


def test_a_proxy_that_speaks_no_http_is_passed_over():
    assert proxy_of("http://oss.example.com/x", {"http": "socks5://proxy:1080"}) is None


def test_a_proxy_without_a_scheme_speaks_http():
    assert proxy_of("https://oss.example.com/x", {"https": "proxy:3128"}) == "http://proxy:3128"


@pytest.mark.parametrize(
    "proxy",
    ["me:pa/ss@proxy:3128", "me:pa]s[s@proxy", "me:pass@proxy:port", "[::1", "pro xy", "p%E4%BD%A0:pa@proxy"],
)
def test_a_proxy_that_is_no_address_is_said_without_showing_it(monkeypatch, proxy):
    through(monkeypatch, f"http://{proxy}")

    with pytest.raises(OutOfOrder) as caught:
        put(store("http://oss.invalid"))

    assert caught.value.message == "the storage cannot be reached: the proxy refused"
    assert "pa" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_proxy_that_nobody_answers_for_is_a_fault_of_the_proxy(monkeypatch):
    with storage(always((200, {}, b""))) as gone:
        pass
    through(monkeypatch, gone.url)

    with pytest.raises(OutOfOrder, match="the proxy refused"):
        put(store("http://oss.invalid"))


def test_a_redirect_is_not_followed_and_a_fault_of_the_configuration():
    with (
        storage(always((200, CRC, b""))) as elsewhere,
        storage(always((307, {"Location": elsewhere.url}, b""))) as one,
        pytest.raises(OutOfOrder, match="it redirects elsewhere"),
    ):
        put(store(one.url))

    assert elsewhere.seen == []


def test_an_answer_that_breaks_off_is_a_fault_of_the_way():
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<ListPartsResult>"

    with raw_storage(broken) as url, pytest.raises(OutOfOrder, match="cannot be reached"):
        store(url).list_parts(KEY, "u1")


class Trickle(io.RawIOBase):
    """Gives one byte at a time."""

    left = 400

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:
        self.left -= 1
        buffer[:1] = b"x"
        return 1 if self.left >= 0 else 0


@pytest.mark.parametrize("amount", [None, 200], ids=["all of it", "an error's beginning"])
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for_to_its_end(amount):
    body = Trickle()
    answer = Answer(urllib3.HTTPResponse(io.BufferedReader(body), preload_content=False), patience=0.0)

    with pytest.raises(RequestError):
        answer.read(amount)

    assert body.left > 390


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_the_machines_certificates_say_whom_to_trust(tmp_path, monkeypatch):
    key, certificate = make_certificate(tmp_path)
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(certificate, key)

    with storage(always((200, CRC, b"")), tls=secure) as server:
        with pytest.raises(OutOfOrder, match="TLS failed"):
            put(store(server.url))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        crc = put(store(server.url))

    assert crc == CRC_VALUE
