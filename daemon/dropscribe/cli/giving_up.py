"""`dropscribe forget --unfinished`: files under way that can never finish are given up.

Their inbox is gone for good, or the account is lost that submitted them. Each is withdrawn with that reason; nothing is
sent for it any more, what was sent runs its course, and other files that wait for the same recognition go on.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from dropscribe.cli.places import Part, meant, parts_of
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.disk.sources import GONE, look_at
from dropscribe.dispose import is_hidden, show
from dropscribe.file_state import state_of
from dropscribe.ledger import Ledger, forgetting, stories, upkeep
from dropscribe.ledger.schema import OPEN_MEDIA, OWED_MEDIA
from dropscribe.ledger.stories import FileRow
from dropscribe.lost import OUT_OF_REACH
from dropscribe.names import display
from dropscribe.survey import folder_trouble


@dataclass(frozen=True)
class Said:
    """What became of one PATH, and whether that is what was asked for."""

    text: str
    done: bool = False


def give_up(ledger: Ledger, settings: Settings, path: bytes) -> list[Said]:
    """All that is under way of a file, or of a folder."""
    rows, known = ledger.look_now(_under_way, settings, path)
    if not rows:
        return [Said(f"{display(path)}: {known}")]
    refused = {row.media_id: why for row in rows if (why := _obstacle(ledger, settings, row)) is not None}
    wanted = [
        (row.media_id, f"a person gave it up; it was {state_of(row)}") for row in rows if row.media_id not in refused
    ]
    now = time.time()
    ledger.do_now(forgetting.give_up, wanted, now, now - OUT_OF_REACH)
    return [_said(row, refused.get(row.media_id)) for row in rows]


def _said(row: FileRow, refused: str | None) -> Said:
    name = f"{row.inbox}: {display(row.path)}"
    if refused is not None:
        return Said(f"{name}: not given up, because {refused}")
    sent = row.recognition_state in ("submitting", "submitted")
    paid = "; what was sent is paid all the same, and an answer that comes is kept" if sent else ""
    return Said(f"{name}: given up (it was {state_of(row)}){paid}", done=True)


def still_travels(connection: Connection, row: FileRow) -> bool:
    """Whether what was given up is still at the service, and is nobody else's: its answer would come after its end."""
    if row.state != "withdrawn" or row.batch_state is None or row.recognition_id is None:
        return False
    return not any(one.state in OPEN_MEDIA for one in stories.files_of_recognition(connection, row.recognition_id))


def _under_way(connection: Connection, settings: Settings, path: bytes) -> tuple[list[FileRow], str]:
    """What a path names that is under way, oldest first; and what is to be said where nothing is."""
    _, rows = meant(settings, connection, path)
    if rows:
        found = [row for row in reversed(rows) if row.state in OPEN_MEDIA]
        return found, f"nothing of it is under way: it is {state_of(rows[0])}"
    parts = [part for part in parts_of(settings, connection, path) if part.kind == "inbox"]
    found = [row for row in reversed(stories.open_files(connection)) if any(_is_of(row, part) for part in parts)]
    return found, "nothing is under way there" if parts else "the ledger knows nothing of it"


def _is_of(row: FileRow, part: Part) -> bool:
    return row.inbox == part.inbox and (not part.below or row.path.startswith(part.below + b"/"))


def _obstacle(ledger: Ledger, settings: Settings, row: FileRow) -> str | None:
    """Why a file must not be given up now; None where it may be, and its source is where people look for it."""
    inbox = next((inbox for inbox in settings.inboxes if inbox.name == row.inbox), None)
    try:
        if inbox is not None:
            return ledger.look_now(_would_be_taken_again, inbox, row, ledger.id)
        _show_source(ledger, row)
    except OSError as error:
        return f"its inbox cannot be looked at: {error.strerror or error}"
    return None


def _would_be_taken_again(connection: Connection, inbox: InboxSettings, row: FileRow, ledger_id: str) -> str | None:
    trouble = folder_trouble(connection, inbox.inbox)
    if trouble is not None:
        return (
            f"it may lie in its inbox: {trouble.message}; where that is gone for good, take it out of the configuration"
        )
    if look_at(inbox.inbox, row.path) != GONE or is_hidden(inbox.inbox, row.media_id, row.path, ledger_id):
        return "it lies in its inbox, where it would be taken again; move it away first"
    return None


def _show_source(ledger: Ledger, row: FileRow) -> None:
    """One that an interrupted move had hidden gets its name back: nobody will look for it any more."""
    root = ledger.look_now(upkeep.inbox_roots).get(row.inbox)
    if root is not None and row.state in OWED_MEDIA and os.path.isdir(root):
        show(Path(os.fsdecode(root)), row.media_id, row.path, ledger.id)
