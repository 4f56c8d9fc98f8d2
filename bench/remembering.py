"""Ledgers that remember many delivered files, written as if they had been transcribed."""

import gzip
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from dropscribe.ledger import Ledger
from dropscribe.ledger.schema import batch, batch_item, media, output, recognition, result

CHUNK = 10_000
A_TASK = 100
KEPT_RESULTS = 100_000
"""Only the latest results are kept; `keep_results` has forgotten those of the others."""
RESULT = gzip.compress(b'{"transcripts": [{"channel_id": 0, "text": "%s", "sentences": []}]}' % (b"word " * 100))

Remembered = tuple[bytes, int, int, int]
"""Path within the inbox, size, mtime in ns, inode."""


def remember(state: Path, inbox: str, outbox: Path, files: Iterable[Remembered], total: int) -> None:
    """Write all of them into the ledger in `state` as delivered, with two outputs each, tasks of a hundred."""
    ledger = Ledger(state)
    try:
        number = 0
        pending = iter(files)
        while chunk := list(islice(pending, CHUNK)):
            ledger.do_now(_write, inbox, outbox, chunk, number, total - KEPT_RESULTS)
            number += len(chunk)
    finally:
        ledger.close()


def on_disk(folder: Path) -> Iterator[Remembered]:
    """What lies directly in a folder."""
    with os.scandir(folder) as found:
        for entry in found:
            look = entry.stat()
            yield os.fsencode(entry.name), look.st_size, look.st_mtime_ns, look.st_ino


def imagined(total: int) -> Iterator[Remembered]:
    """Files that were moved to done/ long ago."""
    for number in range(total):
        yield b"talks/%03d/talk %07d.mp3" % (number % 1000, number), 4096, 10**18 + number, number + 1


def _write(
    connection: Connection, inbox: str, outbox: Path, files: Sequence[Remembered], first: int, forgotten: int
) -> None:
    now = time.time()
    numbers = range(first + 1, first + len(files) + 1)
    batches = range(first // A_TASK + 1, (first + len(files) - 1) // A_TASK + 2)
    of_number = {number: (number - 1) // A_TASK + 1 for number in numbers}
    _insert(connection, batch, [_batch(number, now) for number in batches])
    _insert(connection, recognition, [_recognition(n, of_number[n], n <= forgotten, now) for n in numbers])
    _insert(connection, media, [_media(n, inbox, file, now) for n, file in zip(numbers, files, strict=True)])
    stems = [os.path.join(os.fsencode(outbox), path.removesuffix(b".mp3")) for path, *_ in files]
    names = [(n, stem, name) for n, stem in zip(numbers, stems, strict=True) for name in ("json", "srt")]
    _insert(connection, output, [_output(number, stem, name) for number, stem, name in names])
    items = [
        {"batch_id": of_number[n], "recognition_id": n, "position": 0, "object_key": f"k/{n}", "live": False}
        for n in numbers
    ]
    _insert(connection, batch_item, items)
    kept = [{"recognition_id": n, "body": RESULT, "received_at": now} for n in numbers if n > forgotten]
    _insert(connection, result, kept)


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _batch(number: int, now: float) -> dict[str, Any]:
    return {
        "id": number,
        "endpoint": "http://127.0.0.1",
        "account": "a",
        "model": "fun-asr",
        "settings": "{}",
        "state": "done",
        "total": A_TASK,
        "task_id": f"task-{number}",
        "intended_at": now,
        "submitted_at": now,
        "closed_at": now,
        "billed_seconds": 60.0 * A_TASK,
    }


def _recognition(number: int, batch_id: int, forgotten: bool, now: float) -> dict[str, Any]:
    return {
        "id": number,
        "sha256": _sha256(number),
        "model": "fun-asr",
        "settings": "{}",
        "preparation": "as-is",
        "size": 4096,
        "size_class": 0,
        "crc64": "0",
        "suffix": ".mp3",
        "state": "forgotten" if forgotten else "answered",
        "attempts": 1,
        "created_at": now,
        "ready_at": now,
        "finished_at": now,
        "task_id": f"task-{batch_id}",
    }


def _media(number: int, inbox: str, file: Remembered, now: float) -> dict[str, Any]:
    path, size, mtime_ns, inode = file
    return {
        "id": number,
        "inbox": inbox,
        "path": path,
        "size": size,
        "mtime_ns": mtime_ns,
        "inode": str(inode),
        "sha256": _sha256(number),
        "recognition_id": number,
        "state": "delivered",
        "taken_at": now,
        "finished_at": now,
    }


def _output(number: int, stem: bytes, name: str) -> dict[str, Any]:
    path = stem + f".{name}".encode()
    return {"path": path, "media_id": number, "format": name, "sha256": _sha256(-number), "replaces": ""}


def _sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()
