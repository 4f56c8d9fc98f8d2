"""How oss2's requests travel: over urllib3 alone, in the place of oss2's own session.

That one goes through requests, which asks the environment for proxies, merges settings and builds its objects anew for
each request: for a small file that takes more of the processor than signing and sending it.
"""

import errno
import os
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies

import urllib3
from oss2.exceptions import RequestError
from urllib3.exceptions import HTTPError

from dropscribe.remote.proxies import NOWHERE, proxy_of

LARGEST_ANSWER = 8 * 1024 * 1024
LONGEST_ANSWER = 300.0
"""Bytes and seconds of one answer, all of it: each is a short XML document, whoever gives it."""
_PIECE = 65536
_PIECE_SENT = 262_144
_MOVED = frozenset({301, 302, 303, 307, 308})


class Redirected(Exception):
    """A redirect would carry body and token to a place that was not configured."""


class Session:
    """What `oss2.Bucket` asks of a session. Thread-safe; repeats nothing, follows nothing, knows no ~/.netrc."""

    def __init__(self, connections: int, endpoint: str, proxies: Mapping[str, str] | None = None) -> None:
        """`connections` are kept for further requests. The way to `endpoint` is that to all of its buckets."""
        secure = ssl.create_default_context() if urlsplit(endpoint).scheme == "https" else None
        proxy = proxy_of(endpoint, getproxies() if proxies is None else proxies)
        self._pool = _pool(proxy, maxsize=connections, ssl_context=secure, blocksize=_PIECE_SENT)

    def do_request(self, req: Any, timeout: tuple[float, float]) -> "Answer":
        """Raises RequestError where no answer came."""
        body = req.data
        headers = {name: value for name, value in req.headers.items() if value is not None}
        if req.method not in ("GET", "HEAD"):
            headers["Content-Length"] = str(body.len if hasattr(body, "read") else len(body or b""))
        params = {name: value for name, value in req.params.items() if value is not None}
        try:
            answer = self._pool.urlopen(
                req.method,
                f"{req.url}?{urlencode(params)}" if params else req.url,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except (HTTPError, OSError) as error:
            raise RequestError(error) from error
        if answer.status in _MOVED and "location" in answer.headers:
            answer.close()
            raise RequestError(Redirected())
        return Answer(answer)


class Answer:
    """What oss2 reads an answer from."""

    def __init__(self, response: urllib3.BaseHTTPResponse, patience: float = LONGEST_ANSWER) -> None:
        """`patience`: seconds for all of a read, however steadily its bytes come."""
        self.status = response.status
        self.headers = response.headers
        self.request_id = response.headers.get("x-oss-request-id", "")
        self._response = response
        self._left = True
        self._patience = patience

    def read(self, amount: int | None = None) -> bytes:
        """Of what is left, all or the first bytes: an error's, which may be large, for nobody reads on then.

        Raises RequestError, also where it takes too long; ValueError where all of it is too large.
        """
        if not self._left:
            return b""
        self._left = amount is not None
        data = self._gathered(LARGEST_ANSWER + 1 if amount is None else amount)
        if amount is None and len(data) > LARGEST_ANSWER:
            self._response.close()
            raise ValueError("the answer is too large")
        return data

    def _gathered(self, most: int) -> bytes:
        """Piece by piece as they come, for a read of more than is there waits for it, however slowly it trickles."""
        end, data = time.monotonic() + self._patience, bytearray()
        try:
            while len(data) < most and (piece := self._response.read1(min(_PIECE, most - len(data)), True)):
                data += piece
                if time.monotonic() > end:
                    self._response.close()
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        except (HTTPError, OSError) as error:
            raise RequestError(error) from error
        return bytes(data)


def _pool(proxy: str | None, **options: Any) -> urllib3.PoolManager:
    if proxy is None:
        return urllib3.PoolManager(**options)
    user = urlsplit(proxy)
    who = f"{unquote(user.username)}:{unquote(user.password or '')}" if user.username else None
    try:
        return urllib3.ProxyManager(proxy, proxy_headers=urllib3.make_headers(proxy_basic_auth=who), **options)
    except ValueError:  # no name of a host, or a password that does not fit into a header
        return urllib3.ProxyManager(NOWHERE, **options)
