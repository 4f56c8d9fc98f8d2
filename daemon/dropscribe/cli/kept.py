"""What a PATH can be rendered from: a result that the ledger keeps, or a result or transcript in a file."""

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from dropscribe.cli.places import meant
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.errors import DropscribeError
from dropscribe.ledger import beside, stories
from dropscribe.ledger.stories import FileRow
from dropscribe.model import Document
from dropscribe.names import display
from dropscribe.render import Presentation
from dropscribe.render.formats.json import read_document, read_names
from dropscribe.transcript import UnusableResult, parse

LARGEST_FILE = 256 * 1024 * 1024
SUFFIXES = (b".funasr.json", b".json")


class CannotRender(DropscribeError):
    """Why nothing can be rendered from a PATH, and what to do."""


@dataclass(frozen=True)
class Found:
    """What was heard, the stem of its outputs, and how it is shown where nobody says otherwise."""

    document: Document
    stem: bytes
    full_name: bytes
    presentation: Presentation = field(default_factory=Presentation)
    outputs: tuple[str, ...] = ("srt",)


@dataclass(frozen=True)
class Shelf:
    """Where results are looked for; without a configuration only in files."""

    settings: Settings | None
    connection: Connection | None

    def find(self, path: bytes) -> Found:
        """Raises CannotRender; OSError for a file that cannot be read; UnusableResult."""
        row = self._row(path)
        kept = self._kept(row) if row is not None else None
        if row is not None and kept is not None:
            return self._of_row(row, *kept)
        if path.lower().endswith(b".json") and os.path.isfile(path):
            return _of_file(path)
        raise CannotRender(self._reason(row))

    def _row(self, path: bytes) -> FileRow | None:
        """The newest file that the path names and whose result is kept, else the newest."""
        if self.settings is None or self.connection is None:
            return None
        _, rows = meant(self.settings, self.connection, path)
        return next((row for row in rows if self._kept(row)), rows[0] if rows else None)

    def _kept(self, row: FileRow) -> tuple[str, bytes] | None:
        if self.connection is None or row.recognition_id is None:
            return None
        return stories.kept_result(self.connection, row.recognition_id)

    def _of_row(self, row: FileRow, settings: str, body: bytes) -> Found:
        raw = gzip.decompress(body)
        document = Document(
            source_name=display(row.path),
            size=row.size,
            sha256=row.sha256,
            model=row.model,
            settings=json.loads(settings),
            task_id=row.task_id,
            transcript=parse(raw),
            raw=raw,
        )
        name = os.path.basename(row.path)
        every: Sequence[InboxSettings] = self.settings.inboxes if self.settings is not None else ()
        inbox = next((inbox for inbox in every if inbox.name == row.inbox), None)
        found = Found(document, os.path.splitext(name)[0], name)
        return found if inbox is None else replace(found, presentation=inbox.presentation, outputs=inbox.outputs)

    def _reason(self, row: FileRow | None) -> str:
        if row is None and self.settings is None:
            return "it is no JSON file, and there is no configuration that says where results are kept; use --config"
        if row is None:
            return "the ledger knows no file here; name one of an inbox, outbox or done folder, or the JSON of a result"
        if row.state in ("delivered", "withdrawn"):
            return "its result is not kept any more (see keep_results); its transcript (.json) can still be rendered"
        return "it has no result yet; see `dropscribe status`"


@contextmanager
def shelf(settings: Settings | None) -> Iterator[Shelf]:
    """The ledger is only read, beside a running daemon or without one."""
    if settings is None:
        yield Shelf(None, None)
        return
    with beside.reading(settings.state) as connection:
        yield Shelf(settings, connection)


def _of_file(path: bytes) -> Found:
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise CannotRender(f"it is larger than {LARGEST_FILE} bytes, so it is surely no transcript")
    name = os.path.basename(path)
    suffix = next(suffix for suffix in SUFFIXES if name.lower().endswith(suffix))
    stem = name[: -len(suffix)] or name
    document = read_document(content)
    if document is None:
        try:
            transcript = parse(content)
        except UnusableResult as unusable:
            raise CannotRender(f"it is neither a result of Fun-ASR nor a transcript of ours: {unusable}") from unusable
        document = Document(display(name), None, None, None, {}, None, transcript, content)
    return Found(document, stem, name, Presentation(speakers=read_names(content)))
