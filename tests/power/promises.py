"""What must be true of a disk at any moment at which the power can go, before anything is started again: pure but for
the temporary copy of the ledger that SQLite has to have in a folder.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import Lab
from power.calls import Call
from power.disk import Disk, File, Remains, Wreck

PRIVATE = b".dropscribe-"
PLACES = """
    SELECT id, state, moved_to, error_file FROM media AS one WHERE state = 'delivered' OR state = 'failed'
    AND NOT EXISTS (SELECT 1 FROM media AS new WHERE new.inbox = one.inbox AND new.path = one.path AND new.id > one.id)
"""
"""Of a file that failed and was taken again since, neither source nor reason is to be there."""
LEDGER = (b"ledger.sqlite", b"ledger.sqlite-wal")


@dataclass(frozen=True)
class Source:
    """A file that was dropped, and where."""

    path: bytes
    file: File


class Promises:
    """Those of one lab."""

    def __init__(self, lab: Lab, before: Disk) -> None:
        """`before` holds the sources and nothing of ours."""
        self._lab = lab
        places = (os.fsencode(lab.inbox), os.fsencode(lab.failed))
        self._sources = [
            Source(path, remains.file)
            for path, remains in before.now().files.items()
            if any(_below(path, place) for place in places) and not path.endswith(b".error.json")
        ]
        self._transcripts_before = {
            remains.content for path, remains in before.now().files.items() if path.endswith(b".json")
        }
        self._ledgers: dict[bytes, list[str]] = {}
        with self._opened(before.now()) as ledger:
            rows = ledger.execute("SELECT id FROM media WHERE state = 'failed'") if ledger else ()
            self._failed_before = {media_id for (media_id,) in rows}
            self._intended = _count_batches(ledger)

    def saw(self, call: Call) -> None:
        """What the program did meanwhile: from its first submit on, there must be an intent more."""
        if call.kind == "mark" and call.path.endswith(b"submit.post:before:1"):
            self._intended += 1
            self._ledgers.clear()

    def broken(self, wreck: Wreck) -> list[str]:
        """Each broken promise as a sentence."""
        return [*self._lost(wreck), *self._half_written(wreck), *self._incomplete(wreck), *self._untrue(wreck)]

    def _lost(self, wreck: Wreck) -> Iterator[str]:
        there = {id(remains.file) for remains in wreck.files.values()}
        contents = {remains.content for remains in wreck.files.values() if remains.file.origin is None}
        for source in self._sources:
            if id(source.file) in there or source.file.durable in contents:
                continue
            if not self._outputs_of(source, wreck):
                yield f"{os.fsdecode(source.path)} is lost"

    def _outputs_of(self, source: Source, wreck: Wreck) -> bool:
        """Whether it was delivered, so that an inbox with `done: delete` may have let it go."""
        stem = os.path.splitext(os.path.relpath(source.path, os.fsencode(self._lab.inbox)))[0]
        outputs = [os.path.join(os.fsencode(self._lab.outbox), stem + suffix) for suffix in (b".json", b".srt")]
        return all(path in wreck.files and wreck.files[path].whole for path in outputs)

    def _half_written(self, wreck: Wreck) -> Iterator[str]:
        places = [os.fsencode(place) for place in (self._lab.outbox, self._lab.done, self._lab.failed)]
        for path, remains in wreck.files.items():
            final = not os.path.basename(path).startswith(PRIVATE)
            if final and not remains.whole and any(_below(path, place) for place in places):
                yield f"{os.fsdecode(path)} is not whole"

    def _incomplete(self, wreck: Wreck) -> Iterator[str]:
        """A transcript says that the other outputs of its set stand, and tell of the same recording. One of before the
        run is replaced last, too: until then it stands beside new ones.
        """
        for path, remains in wreck.files.items():
            if not (_below(path, os.fsencode(self._lab.outbox)) and path.endswith(b".json") and remains.whole):
                continue
            transcript = json.loads(remains.content)
            srt = wreck.files.get(path.removesuffix(b".json") + b".srt")
            replaced = remains.content in self._transcripts_before
            heard = transcript["source"]["sha256"][:16] if transcript["text"] and not replaced else ""
            if srt is None or not srt.whole or heard not in srt.content.decode():
                yield f"{os.fsdecode(path)} stands without its subtitles"

    def _untrue(self, wreck: Wreck) -> list[str]:
        """What the ledger says is done and the disk does not show."""
        state = os.fsencode(self._lab.state)
        names = b"\0".join(path for path in wreck.files if not _below(path, state))
        key = hashlib.sha256(names + b"\0".join(one.content for one in self._ledger(wreck))).digest()
        if key not in self._ledgers:
            with self._opened(wreck) as ledger:
                self._ledgers[key] = list(self._false_claims(ledger, wreck)) if ledger else []
                if _count_batches(ledger) < self._intended:
                    self._ledgers[key].append("what is being submitted is written down nowhere")
        return self._ledgers[key]

    def _ledger(self, wreck: Wreck) -> list[Remains]:
        """The database, and the WAL where there is one; nothing where there is no database with tables yet."""
        paths = [os.path.join(os.fsencode(self._lab.state), name) for name in LEDGER]
        return [wreck.files[path] for path in paths if path in wreck.files] if paths[0] in wreck.files else []

    @contextmanager
    def _opened(self, wreck: Wreck) -> Iterator[sqlite3.Connection | None]:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            for name, remains in zip(LEDGER, self._ledger(wreck), strict=False):
                Path(folder, os.fsdecode(name)).write_bytes(remains.content)
            ledger = stack.enter_context(closing(sqlite3.connect(Path(folder, os.fsdecode(LEDGER[0])))))
            tables = ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'media'").fetchone()
            yield ledger if tables else None

    def _false_claims(self, ledger: sqlite3.Connection, wreck: Wreck) -> Iterator[str]:
        if ledger.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            yield "the ledger is damaged"
        for path, sha256 in ledger.execute(
            "SELECT output.path, output.sha256 FROM output JOIN media ON media.id = media_id WHERE state = 'delivered'"
        ):
            remains = wreck.files.get(path)
            if remains is None or hashlib.sha256(remains.content).hexdigest() != sha256:
                yield f"the ledger says that {os.fsdecode(path)} is delivered"
        for media_id, state, *paths in ledger.execute(PLACES):
            gone = [path for path in paths if path is not None and path not in wreck.files]
            if media_id not in self._failed_before:  # those a person, or `retry`, may have taken away
                yield from (
                    f"the ledger says that its file is {state}: {os.fsdecode(path)} is missing" for path in gone
                )
        for (path,) in ledger.execute("SELECT path FROM folder"):
            if path not in wreck.folders:
                yield f"the ledger has seen the folder {os.fsdecode(path)}, and it is not there"


def _count_batches(ledger: sqlite3.Connection | None) -> int:
    return int(ledger.execute("SELECT count(*) FROM batch").fetchone()[0]) if ledger else 0


def _below(path: bytes, folder: bytes) -> bool:
    return path.startswith(os.path.join(folder, b""))
