"""What goes beside the flow must not slow it: the same small files plain, told to a webhook, told to one that fails,
and under limits; each as a share of the plain run.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.processes import Cost, configure, run_once, sandbox
from bench.sizes import Sizes
from bench.small_files import make_files


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """One row a variant: files/s, CPU in ms a file, both as a share of the plain run's; messages and files told."""
    with _receiver(200) as (good, heard), _receiver(503) as (bad, refused):
        variants = {
            "plain": ({}, []),
            "webhook": (_webhook(good), heard),
            "webhook that fails": (_webhook(bad), refused),
            "limits": ({"limits": {"hours_per_day": 1_000_000}}, []),
        }
        costs = {name: _one(folder / name, sizes, more) for name, (more, _) in variants.items()}
    plain, files = costs["plain"], sizes.files
    return [
        {
            "variant": name,
            "files/s": round(files / cost.wall, 1),
            "files/s as a share of plain": round(plain.wall / cost.wall, 2),
            "CPU ms a file": round(1000 * cost.cpu / files, 2),
            "CPU as a share of plain": round(cost.cpu / plain.cpu, 2),
            "messages": len(variants[name][1]),
            "files told": sum(variants[name][1]),
        }
        for name, cost in costs.items()
    ]


def _one(folder: Path, sizes: Sizes, more: dict[str, Any]) -> Cost:
    make_files(folder / "inbox", sizes.files, sizes.bytes)
    with sandbox(folder) as config:
        configure(folder, config | more)
        return run_once(folder, sizes.files)


def _webhook(url: str) -> dict[str, Any]:
    return {"notify": {"webhook": {"url": url, "secret": "0123456789abcdef"}}}


@contextmanager
def _receiver(status: int) -> Iterator[tuple[str, list[int]]]:
    """An address that answers so, and how many files each message told of."""
    heard: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["count"])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
    finally:
        server.shutdown()
        server.server_close()
