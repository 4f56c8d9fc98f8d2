"""HTTP as the adapters need it: the only home of aiohttp's client.

Two kinds of connections. Questions share connections that are kept, and aiohttp may ask a question again when a kept
connection turns out to be dead. What must go out once goes over a connection of its own, and each of its ends says
whether anything may have left the house.

Proxies are read from the environment here: aiohttp's `trust_env` would also read ~/.netrc, whose password would
take the place of our key, or go to the host of a result.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from dropscribe.remote.ports import TooLate
from dropscribe.remote.proxies import proxy_of
from dropscribe.remote.result_hosts import BadAddress, checked, is_of_this_machine, redirected

LARGEST_ERROR_BODY = 64 * 1024
_CHUNK = 64 * 1024
_CONNECTIONS = 16
_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_NETWORK = (aiohttp.ClientError, OSError)  # asyncio's and the sockets' time-outs are OSErrors


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Of an error (a status from 300) `data` is what could be read of at most 64 KB."""

    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to get a connection, for a whole API call, for the next bytes of a download and for all of it."""

    connect: float = 10.0
    call: float = 60.0
    stall: float = 60.0
    download: float = 900.0


class Unreached(Exception):
    """No connection came about, so nothing left the house. Says why, without URLs."""


class Cut(Exception):
    """It failed when the request may have arrived. Says why, without URLs."""


class TooLarge(Exception):
    """The answer is larger than it may be."""


class _Inside(OSError):
    """A name that leads to this machine only: a filter of names does that, or somebody who wants something."""


class _OutsideOnly(aiohttp.ThreadedResolver):
    """Names as the system knows them, less the addresses of this machine: looked at as the connection is made."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        outside = [one for one in found if not is_of_this_machine(one["host"])]
        if found and not outside:
            raise _Inside("its name leads to this machine")
        return outside


class Http:
    """Connections to one API and to wherever it keeps its results. Made outside or inside of a running loop."""

    def __init__(
        self,
        ssl_context: ssl.SSLContext | None = None,
        *,
        timeouts: Timeouts | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._ssl: ssl.SSLContext | bool = ssl_context or True
        self._timeouts = timeouts or Timeouts()
        self._proxies = dict(getproxies() if proxies is None else proxies)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def get(self, url: str, headers: Mapping[str, str], largest: int) -> Answer:
        """Ask the API; redirects are answers. Raises Unreached, Cut, TooLarge."""
        timeout = aiohttp.ClientTimeout(total=self._timeouts.call, sock_connect=self._timeouts.connect)
        with _in_our_words():
            async with self._session("api").get(
                _exactly(url),
                headers=dict(headers),
                proxy=proxy_of(url, self._proxies),
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                return await _whole(response, largest)

    async def fetch(self, url: str, largest: int, inside: bool = False) -> Answer:
        """Download, showing nobody who we are; `inside`: this machine may be asked, too.

        Raises BadAddress, Unreached, Cut (also for a redirect that leads nowhere), TooLarge.
        """
        url = checked(url, inside)
        async with _patience(self._timeouts.download):
            for _ in range(_REDIRECTS + 1):
                answer = await self._download(url, largest, inside)
                location = answer.headers.get("Location")
                if answer.status not in _MOVED or location is None:
                    return answer
                try:
                    url = redirected(url, location, inside)
                except BadAddress as error:
                    raise Cut(f"it redirects, and the new address is none for a result: {error}") from None
        raise Cut("it redirects in a circle")

    async def _download(self, url: str, largest: int, inside: bool) -> Answer:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect, sock_read=self._timeouts.stall)
        proxy = proxy_of(url, self._proxies)
        # A proxy looks the name up itself, and may stand on this machine.
        session = self._session("results") if inside or proxy else self._session("results", _OutsideOnly())
        with _in_our_words():
            async with session.get(
                _exactly(url),
                # Compressed, a short answer could be a very long one, and a cut one would not always show.
                headers={"Accept-Encoding": "identity"},
                proxy=proxy,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                return await _whole(response, largest)

    async def post_once(
        self, url: str, headers: Mapping[str, str], body: bytes, largest: int, may_send: Callable[[], bool]
    ) -> Answer:
        """Send `body` once, on a connection of its own; `may_send` is asked when that connection stands.

        Raises TooLate, Unreached (nothing left the house), Cut or TooLarge (the request may have arrived).
        """
        connector = _OneShot(may_send, ssl=self._ssl)
        timeout = aiohttp.ClientTimeout(
            total=self._timeouts.call, connect=self._timeouts.connect, sock_connect=self._timeouts.connect
        )
        try:
            async with (
                _new_session(connector) as session,
                session.post(
                    _exactly(url),
                    headers=dict(headers),
                    data=body,
                    proxy=proxy_of(url, self._proxies),
                    allow_redirects=False,
                    timeout=timeout,
                ) as response,
            ):
                return await _whole(response, largest)
        except TooLarge:
            raise
        except Exception as error:
            if connector.may_have_sent:  # whatever it was: somebody may have to pay
                raise Cut(reason(error)) from error
            if isinstance(error, _NETWORK):
                raise Unreached(reason(error)) from error
            raise

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, name: str, resolver: _OutsideOnly | None = None) -> aiohttp.ClientSession:
        """Made at the first use, since aiohttp wants the loop to be running then."""
        name = f"{name}, outside" if resolver is not None else name
        if name not in self._sessions:
            connector = aiohttp.TCPConnector(ssl=self._ssl, limit=_CONNECTIONS, resolver=resolver)
            self._sessions[name] = _new_session(connector)
        return self._sessions[name]


class _OneShot(aiohttp.TCPConnector):
    """Never keeps a connection, and remembers whether one stood: before that, nothing can have been sent."""

    def __init__(self, may_send: Callable[[], bool], **options: Any) -> None:
        super().__init__(force_close=True, **options)
        self._may_send = may_send
        self.may_have_sent = False

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        if not self._may_send():
            connection.close()
            raise TooLate("the moment to send had passed when the connection stood; nothing was sent")
        self.may_have_sent = True
        return connection


def _new_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        requote_redirect_url=False,  # a signature is over the exact bytes
    )


def _exactly(url: str) -> URL:
    """The URL byte for byte: yarl would write some escapes of a signed query in another way."""
    return URL(url, encoded=url.isascii() and url.isprintable() and " " not in url)


@asynccontextmanager
async def _patience(seconds: float) -> AsyncIterator[None]:
    """For all of a download, its redirects included: a body that never ends is cut."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Cut("no answer came in time") from None


@contextmanager
def _in_our_words() -> Iterator[None]:
    """What the network does, as Unreached and Cut. Without causes: these may show signed URLs."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise Unreached(reason(error)) from None
    except _NETWORK as error:
        raise Cut(reason(error)) from None
    except UnicodeError:  # of the resolver: an empty label, or one that is too long
        raise Unreached("its name cannot be one of a host") from None


async def _whole(response: aiohttp.ClientResponse, largest: int) -> Answer:
    if response.status < 300:
        data = await _read(response, largest)
    else:
        data = await _read_some(response)
    return Answer(response.status, response.headers, data)


async def _read(response: aiohttp.ClientResponse, largest: int) -> bytes:
    if (response.content_length or 0) > largest:
        raise TooLarge
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        data += chunk
        if len(data) > largest:
            raise TooLarge
    return bytes(data)


async def _read_some(response: aiohttp.ClientResponse) -> bytes:
    """The status has said what counts; a body that is cut or endless must not hide it."""
    data = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) >= LARGEST_ERROR_BODY:
                break
    except _NETWORK:
        pass
    return bytes(data[:LARGEST_ERROR_BODY])


# The first that fits; the bases stand below what is derived from them.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "its name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not accepted"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (ssl.SSLError, "TLS failed"),
    (aiohttp.ClientHttpProxyError, "the proxy refused"),
    (TimeoutError, "no answer came in time"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before the answer"),
    (aiohttp.ClientPayloadError, "the answer was cut short"),
    (aiohttp.InvalidURL, "its address is not valid"),
)


def reason(error: BaseException) -> str:
    """Why, in a few words and without URLs."""
    if isinstance(inside := getattr(error, "os_error", None), _Inside):
        return str(inside)
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return type(error).__name__
