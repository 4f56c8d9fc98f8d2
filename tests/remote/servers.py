"""Servers that do exactly what a test tells them, one connection after the other."""

import asyncio
import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """`acts[n]` plays the n-th connection; the last one plays all that follow. `requests` is what was read."""

    acts: list[Act]
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        act = self.acts[min(self.connections, len(self.acts) - 1)]
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await act(reader, writer)
        writer.close()

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """One whole request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request


def response(status: int, body: object = b"", **headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Length": str(len(data))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


@contextlib.asynccontextmanager
async def raw_server(*acts: Act, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    double = RawServer(list(acts))
    server = await asyncio.start_server(double._play, "127.0.0.1", 0, ssl=tls)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()


@contextlib.asynccontextmanager
async def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Answers the n-th request with `answers[n]` (the last one for all that follow), keeping connections."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await double.read(reader)
            writer.write(answers[min(len(double.requests), len(answers)) - 1])
            await writer.drain()

    async with raw_server(act, tls=tls) as double:
        yield double


@dataclass
class Seen:
    """One request to a `storage`."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Storage:
    url: str
    seen: list[Seen]


@contextlib.contextmanager
def storage(reply: Callable[[Seen], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Storage]:
    """A blocking HTTP server in threads; `reply` makes the answer to each request."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return
            request = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            seen.append(request)
            status, headers, data = reply(request)
            self.send_response_only(status)
            for name, value in ({"Date": formatdate(usegmt=True), "Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, format: str, *args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """The client has gone, as some tests want it to."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Storage(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", seen)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*made.split(), *names], check=True, capture_output=True)
    return key, certificate
