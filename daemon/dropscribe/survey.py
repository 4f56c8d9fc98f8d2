"""What stands on disk, for commands that only look: entries of the inboxes that the ledger does not explain, and
folders that are missing or lie elsewhere. Nothing is created or written.
"""

import errno
import json
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from dropscribe.allowance import windows
from dropscribe.config.settings import InboxSettings, LimitsSettings
from dropscribe.disk.sources import unreadable
from dropscribe.errors import OutOfOrder
from dropscribe.folders import Place, elsewhere, missing, place_of, same_place, unusable
from dropscribe.intake import is_new
from dropscribe.ledger import REMEDY, deliveries, intake, is_full, spending, upkeep
from dropscribe.ledger.rows import KnownMedia
from dropscribe.scan import Candidate, Entry, Ignored, Rules, inspect, walk
from dropscribe.story import Spending

Item = TypeVar("Item")
CHUNK = 500


def full_state(state: Path) -> OutOfOrder | None:
    """The alarm that the ledger itself cannot keep."""
    if not is_full(state):
        return None
    return OutOfOrder("ledger", "NoSpace", f"the disk of the state folder {state} is full", REMEDY)


def folder_trouble(connection: Connection | None, path: Path) -> OutOfOrder | None:
    """Why a folder must not be used now; None where it is in order, or was never seen and is created when it is."""
    try:
        now = place_of(path)
    except OSError as error:
        return unusable(path, error)
    mark = None if connection is None else upkeep.folder_mark(connection, os.fsencode(path))
    if mark is None:
        return None
    if now is None:
        return missing(path)
    if not same_place(Place(**json.loads(mark)), now):
        return elsewhere(path)
    return None


def spending_view(connection: Connection, limits: LimitsSettings, now: float) -> Spending:
    """What the ledger says was spent in the day and the month of this moment, against the limits as configured."""
    found = windows(now)
    today, month = spending.usage(connection, found.day), spending.usage(connection, found.month)
    per_day, per_month = (None if h is None else h * 3600.0 for h in (limits.hours_per_day, limits.hours_per_month))
    return Spending(
        today=today.billed + today.guessed,
        this_month=month.billed + month.guessed,
        guessed_this_month=month.guessed,
        reserved=month.reserved,
        held=month.held,
        held_files=month.held_files,
        day_limit=per_day,
        month_limit=per_month,
    )


def unexplained(inbox: InboxSettings, skip: Sequence[Path], connection: Connection | None) -> Iterator[Entry]:
    """What lies in an inbox and no row of the ledger explains: files not taken yet, and what stays where it is.

    Raises OSError if the inbox cannot be read; one that is missing is empty.
    """
    entries = walk(inbox.inbox, skip, Rules(inbox.include, inbox.exclude), explain=True)
    try:
        while chunk := list(islice(entries, CHUNK)):
            yield from _unexplained(inbox, connection, chunk)
    except FileNotFoundError:
        return


def unexplained_at(
    inbox: InboxSettings, path: bytes, skip: Sequence[Path], connection: Connection | None
) -> Entry | None:
    """The same for one path; also what is dropscribe's own."""
    try:
        entry = inspect(inbox.inbox, path, skip, Rules(inbox.include, inbox.exclude))
    except FileNotFoundError:
        return None
    if isinstance(entry, Candidate):
        return next(iter(_unexplained(inbox, connection, [entry])), None)
    return entry


def _unexplained(inbox: InboxSettings, connection: Connection | None, entries: Sequence[Entry]) -> Iterator[Entry]:
    candidates = [entry.path for entry in entries if isinstance(entry, Candidate)]
    known = {} if connection is None else intake.known(connection, inbox.name, candidates)
    ours = _outputs(inbox, connection, entries)
    for entry in entries:
        if isinstance(entry, Candidate):
            if is_new(entry.look, known.get(entry.path), inbox.done == "keep", _has_error_file):
                yield _readable(inbox, entry)
        elif entry.reason not in ("private", "own-folder") and entry.path not in ours:
            yield entry


def _outputs(inbox: InboxSettings, connection: Connection | None, entries: Sequence[Entry]) -> set[bytes]:
    """Which of these are outputs of ours, where they stand beside the media."""
    if connection is None or os.path.realpath(inbox.outbox) != os.path.realpath(inbox.inbox):
        return set()
    root = os.fsencode(inbox.outbox)
    paths = {os.path.join(root, entry.path): entry.path for entry in entries if isinstance(entry, Ignored)}
    return {paths[path] for path in deliveries.owners(connection, list(paths))}


def _readable(inbox: InboxSettings, entry: Candidate) -> Entry:
    if os.access(os.path.join(os.fsencode(inbox.inbox), entry.path), os.R_OK, effective_ids=True):
        return entry
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES))
    return Ignored(entry.path, "unreadable", unreadable(denied).sentence)


def _has_error_file(known: KnownMedia) -> bool:
    return known.error_file is not None and os.path.lexists(known.error_file)
