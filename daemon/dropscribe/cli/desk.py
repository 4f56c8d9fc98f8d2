"""The ledger and the disk side by side: what `status` knows of files, folders and inboxes."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from dropscribe.cli.places import Part, Place, meant, own_folders, places_of, still_on_its_way
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.errors import OutOfOrder
from dropscribe.file_state import Situation, state_of
from dropscribe.folders import folder_fault
from dropscribe.ledger import is_held, notices, spending, stories, upkeep
from dropscribe.ledger.stories import FileRow
from dropscribe.model import Scope
from dropscribe.names import display
from dropscribe.scan import Candidate, Entry, Ignored
from dropscribe.story import (
    Alarm,
    DaemonView,
    FileView,
    InboxView,
    Spending,
    Status,
    alarm_of,
    alarms_of,
    folders_of,
    ignored,
    inbox_view,
    notes_of,
    settling,
    still_lies,
    view_of,
)
from dropscribe.story_text import Tale, source_text
from dropscribe.survey import folder_trouble, full_state, spending_view, unexplained, unexplained_at

LAST = 100


@dataclass
class Desk:
    """The ledger (None: there is none yet) and the disk, side by side."""

    settings: Settings
    connection: Connection | None
    now: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.skip = own_folders(self.settings)
        self.daemon = daemon_view(self.settings.state, self.connection)
        self.scopes: list[Scope] = [] if self.connection is None else stories.open_scopes(self.connection)
        room = () if self.connection is None else spending.balances(self.connection)
        self.situation = Situation(self.daemon.running, self.daemon.account, tuple(self.scopes), self.now, room)
        self.inboxes = {inbox.name: inbox for inbox in self.settings.inboxes}

    def status(self, only: tuple[FileView, ...] | None = None) -> Status:
        """All of it; `only` takes the place of the files."""
        troubles, files = self._lying()
        files += self._open()
        alarms = [*troubles, *map(alarm_of, self.scopes)]
        keeping = [inbox.name for inbox in self.settings.inboxes if inbox.done == "keep"]
        delivered = {} if self.connection is None else stories.delivered_counts(self.connection, keeping)
        inboxes = tuple(
            inbox_view(
                inbox.name,
                os.fsencode(inbox.inbox),
                files,
                delivered.get(inbox.name, 0),
                alarms_of(inbox, self.settings.inboxes, alarms),
            )
            for inbox in self.settings.inboxes
        )
        files_told = (*files, *self._ended()) if only is None else only
        return Status(self.daemon, inboxes, files_told, self._spending(), self._notices(), self._notes())

    def _spending(self) -> Spending | None:
        if self.connection is None:
            return None
        return spending_view(self.connection, self.settings.limits, self.now)

    def _notices(self) -> tuple[int, float | None]:
        return (0, None) if self.connection is None else notices.waiting(self.connection)

    def _notes(self) -> tuple[str, ...]:
        if self.connection is None:
            return ()
        lessons = upkeep.lessons(self.connection, self.now)
        return tuple(notes_of(lessons, stories.doubled(self.connection)))

    def _lying(self) -> tuple[list[Alarm], list[FileView]]:
        """Folders out of order, and what lies in the inboxes and is not in the ledger."""
        alarms, files = list[Alarm](), list[FileView]()
        if (full := full_state(self.settings.state)) is not None:
            alarms.append(_alarm(full))
        for inbox in self.settings.inboxes:
            troubles = self._troubles(inbox)
            alarms += [_alarm(trouble) for trouble in troubles]
            if f"folder:{inbox.inbox}" in [trouble.scope for trouble in troubles]:
                continue
            try:
                entries = unexplained(inbox, self.skip, self.connection)
                files += [self._entry(inbox, entry) for entry in entries]
            except OSError as error:
                alarms.append(_alarm(folder_fault(inbox.inbox, "FolderUnusable", error.strerror or str(error))))
        return alarms, files

    def _troubles(self, inbox: InboxSettings) -> list[OutOfOrder]:
        found = (folder_trouble(self.connection, Path(folder)) for folder in folders_of(inbox))
        return [trouble for trouble in found if trouble is not None]

    def _entry(self, inbox: InboxSettings, entry: Entry) -> FileView:
        if isinstance(entry, Candidate):
            return settling(inbox, entry.path, self.daemon.running, self.scopes)
        return ignored(inbox.name, entry)

    def _open(self) -> list[FileView]:
        """Files that are under way, and failed ones that were not seen to."""
        if self.connection is None:
            return []
        return self._views([*stories.open_files(self.connection), *self._failed()])

    def _failed(self) -> list[FileRow]:
        if self.connection is None:
            return []
        return [row for row in stories.failed_files(self.connection) if self._lies(row)]

    def _ended(self) -> list[FileView]:
        return [] if self.connection is None else self._views(stories.ended_files(self.connection, LAST))

    def _lies(self, row: FileRow) -> bool:
        """A folder that is not there is not taken for empty."""
        inbox = self.inboxes.get(row.inbox)
        return still_lies(row, os.path.lexists) or (inbox is not None and not inbox.failed.is_dir())

    def _views(self, rows: list[FileRow]) -> list[FileView]:
        if self.connection is None:
            return []
        outputs = stories.outputs_of(self.connection, [row.media_id for row in rows])
        return [self._view(row, outputs.get(row.media_id, ())) for row in rows]

    def _view(self, row: FileRow, outputs: tuple[bytes, ...]) -> FileView:
        inbox = self.inboxes.get(row.inbox)
        folders = None if inbox is None else folders_of(inbox)
        return view_of(row, outputs, folders, self.situation)

    def below(self, parts: list[Part]) -> tuple[tuple[FileView, ...], tuple[InboxView, ...]]:
        """What the parts hold, and the counts of each inbox that has one."""
        lying = [*self._lying()[1], *self._open()]
        files = [view for view in lying if any(is_part(view, part) for part in parts)]
        delivered = dict[str, int]()
        for part in parts:
            if part.kind != "failed" and part.inbox not in delivered:
                delivered[part.inbox], ended = self._ended_in(part)
                files += ended
        roots = {part.inbox: part.root for part in parts}
        views = tuple(inbox_view(name, root, files, delivered.get(name, 0), ()) for name, root in roots.items())
        return tuple(files), views

    def _ended_in(self, part: Part) -> tuple[int, list[FileView]]:
        """How many of a part are delivered, and the last that ended."""
        if self.connection is None:
            return 0, []
        name, keeping = part.inbox, [part.inbox] if part.keeps else []
        below, placed = (b"", part.below) if part.kind == "placed" else (part.below, b"")
        ended = self._views(stories.ended_files(self.connection, LAST, name, below, placed))
        counts = stories.delivered_counts(self.connection, keeping, below, placed)
        failed = self._views([row for row in self._failed() if is_placed_below(row, part)])
        return counts.get(name, 0), [*failed, *(view for view in ended if is_part(view, part))]

    def nowhere(self, path: bytes) -> str:
        """Why a path names nothing, and what it may become."""
        if os.path.isdir(path):
            return "is a folder in which none of the configuration's folders lies"
        places = places_of(self.settings, path)
        row = None if self.connection is None else still_on_its_way(self.connection, places)
        if row is not None:
            inbox = self.inboxes[row.inbox].inbox
            there = display(os.path.join(os.fsencode(inbox), row.path))
            return f"is not there: the last file of that name is {state_of(row)}; see `dropscribe status {there}`"
        return (
            "is neither in the ledger nor on disk in a folder of the configuration; "
            "name a file by its path in an inbox, outbox, done or failed folder"
        )

    def files_named(self, path: bytes) -> Iterator[FileView | Tale]:
        """What PATH names: what lies there and is not taken, and the newest file of that path in the ledger."""
        places, rows = meant(self.settings, self.connection, path)
        known = {(row.inbox, row.path) for row in rows}
        lying = list(self._lying_at(places, known))
        yield from lying
        for inbox, file in sorted(known):
            yield self._tale(next(row for row in rows if (row.inbox, row.path) == (inbox, file)))
        if not rows and not lying:
            yield from self._foreign(places)

    def _lying_at(self, places: list[Place], known: set[tuple[str, bytes]]) -> Iterator[FileView]:
        """An ignored entry counts unless it is an output or the like, of which the ledger knows."""
        for place in places:
            if place.kind != "inbox":
                continue
            entry = unexplained_at(place.inbox, place.relative, self.skip, self.connection)
            if isinstance(entry, Candidate) or (
                entry is not None and (not known or (place.inbox.name, place.relative) in known)
            ):
                yield self._entry(place.inbox, entry)

    def _foreign(self, places: list[Place]) -> Iterator[FileView]:
        """Something in a folder of ours that the ledger does not know."""
        for place in places:
            if os.path.lexists(place.absolute):
                sentence = f"It lies in the {place.kind} folder, and the ledger knows nothing of it."
                yield ignored(place.inbox.name, Ignored(place.absolute, "not-included", sentence))
                return

    def _root(self, name: str) -> Path | None:
        """Where an inbox lies, or lay when it was in the configuration."""
        if name in self.inboxes:
            return self.inboxes[name].inbox
        lay = None if self.connection is None else upkeep.inbox_roots(self.connection).get(name)
        return None if lay is None else Path(os.fsdecode(lay))

    def _tale(self, row: FileRow) -> Tale:
        assert self.connection is not None
        outputs = stories.outputs_of(self.connection, [row.media_id]).get(row.media_id, ())
        inbox = self.inboxes.get(row.inbox)
        standing = row.moved_to is not None and os.path.lexists(row.moved_to)
        kept = inbox is not None and inbox.done == "keep"
        shared = row.recognition_id
        together = [] if shared is None else stories.files_of_recognition(self.connection, shared)
        at_path = stories.files_at(self.connection, row.inbox, row.path)
        return Tale(
            view=self._view(row, outputs),
            row=row,
            outputs=outputs,
            source=source_text(row, self._root(row.inbox), standing, kept),
            payments=() if shared is None else tuple(stories.payments(self.connection, shared)),
            siblings=tuple(one for one in together if (one.inbox, one.path) != (row.inbox, row.path)),
            earlier=tuple(one for one in at_path if one.media_id < row.media_id),
            error_stands=row.error_file is not None and os.path.lexists(row.error_file),
            configured=inbox is not None,
        )


def is_part(view: FileView, part: Part) -> bool:
    """Whether a file lies in a part, or came from there."""
    if part.kind == "placed":
        return view.inbox == part.inbox and view.state == "delivered"
    if view.inbox != part.inbox or (part.below and not view.path.startswith(f"{display(part.below)}/")):
        return False
    return part.kind == "inbox" or view.state == ("failed" if part.kind == "failed" else "delivered")


def is_placed_below(row: FileRow, part: Part) -> bool:
    """Whether a failed file of an inbox that is not configured any more, or its error file, went to a part."""
    went_to = [path for path in (row.moved_to, row.error_file) if path is not None]
    return part.kind == "placed" and row.inbox == part.inbox and any(p.startswith(part.below + b"/") for p in went_to)


def daemon_view(state: Path, connection: Connection | None) -> DaemonView:
    """Whether a daemon runs, and who it is."""
    running = connection is not None and is_held(state)
    account = _meta(connection, "account")
    if not running:
        return DaemonView(False, account=account)
    pid, since = _meta(connection, "pid"), _meta(connection, "started_at")
    return DaemonView(True, int(pid) if pid else None, account, float(since) if since else None)


def _meta(connection: Connection | None, name: str) -> str | None:
    return None if connection is None else upkeep.read_meta(connection, name)


def _alarm(trouble: OutOfOrder) -> Alarm:
    return Alarm(trouble.scope, trouble.code, trouble.message, trouble.remedy)
