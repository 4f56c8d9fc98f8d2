"""Who is told: a small HTTP server that gets webhooks and answers as a test wants, and a service manager."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dropscribe.sd_notify import Notifier


@dataclass(frozen=True)
class Call:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


@dataclass
class Receiver:
    """`answers(n)` gives the status of the n-th call, from 1; before it answers, the call is remembered."""

    url: str = ""
    answers: Callable[[int], int] = lambda number: 204
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    hold: threading.Event | None = None

    def told(self, event: str) -> list[dict[str, Any]]:
        """Everything of one kind that came, each thing once."""
        items = [item for call in self.calls if call.message["event"] == event for item in call.message["items"]]
        return list({item["id"]: item for item in items}.values())


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.calls.append(Call(self.path, headers, body))
            number = len(receiver.calls)
            if receiver.hold is not None:
                receiver.hold.wait(30)
            self.send_response(receiver.answers(number))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?key=of-the-address"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.hold is not None:
            receiver.hold.set()
        server.shutdown()
        server.server_close()


class Heard(Notifier):
    """A service manager in this process."""

    def __init__(self) -> None:
        super().__init__("@in-process", 30.0)
        self.lines: list[str] = []

    def _send(self, *lines: str) -> None:
        self.lines += lines

    def fed(self) -> int:
        return self.lines.count("WATCHDOG=1")
