"""Outputs, error files and sources into place, each whole or not at all, as planned. Blocking; for threads."""

import contextlib
import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from dropscribe.boundaries import Step
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.moving import Unsynced
from dropscribe.disk.placing import (
    content_sha256,
    discard,
    make_folders,
    place,
    replace,
    sync_folder,
    way_down,
    write_aside,
)
from dropscribe.disk.renaming import Name
from dropscribe.disk.sources import seen_from
from dropscribe.dispose import CannotPlace, Disposal, Way, send_source_away
from dropscribe.error_file import error_json
from dropscribe.folders import FolderTrouble
from dropscribe.ledger.rows import OwedMedia, PlannedOutput, Reservation
from dropscribe.model import Failure
from dropscribe.names import display
from dropscribe.planning import Planned, is_own_error_file

ASIDE = Step("deliver.write-aside", "before", "effect")
PLACE = Step("deliver.place", "before", "effect")
SYNC = Step("deliver.sync-folders", "before", "effect")
SYNC_MOVES = Step("deliver.sync-moves", "before", "effect")
ERROR_FILE = Step("deliver.error-file", "before", "effect")


class NameTaken(FileExistsError):
    """Something stands where an output was to go. `unplaced`: the paths of its set that this try placed nothing at."""

    def __init__(self, path: bytes, unplaced: frozenset[bytes]) -> None:
        super().__init__(errno.EEXIST, os.strerror(errno.EEXIST), path)
        self.unplaced = unplaced


def place_all(
    inbox: InboxSettings, plans: Sequence[Planned], unplaced: dict[int, frozenset[bytes]]
) -> tuple[list[Planned], dict[int, str | None]]:
    """Put the outputs of a group into place; also return the files that have to be planned anew, with the obstacle.

    What such a file did not place is noted in `unplaced`.
    """
    placed: list[Planned] = []
    stuck: dict[int, str | None] = {}
    with FolderTrouble(inbox.outbox):
        for plan in plans:
            media_id = plan.reservation.media_id
            try:
                place_set(inbox, plan)
                placed.append(plan)
            except NameTaken as taken:
                stuck[media_id] = None
                unplaced[media_id] = taken.unplaced
            except NotADirectoryError as obstacle:
                stuck[media_id] = f"{obstacle.filename}: {obstacle.strerror}"
        folders = {os.path.dirname(planned.path) for plan in placed for planned in plan.reservation.outputs}
    _sync(folders, inbox.outbox)
    return placed, stuck


def place_set(inbox: InboxSettings, plan: Planned) -> None:
    """Raises NameTaken; NotADirectoryError; other OSError."""
    waiting = [planned for planned in plan.reservation.outputs if planned.path not in plan.standing]
    if not waiting:
        return
    root, within = seen_from(inbox.outbox, waiting[0].path)
    with make_folders(root, os.path.dirname(within)) as folder:
        _place_waiting(folder, plan, waiting)


def _place_waiting(folder: int, plan: Planned, waiting: Sequence[PlannedOutput]) -> None:
    ready = _written_aside(folder, plan, waiting)
    for done, (planned, aside) in enumerate(ready):
        try:
            _put(aside, planned)
        except OSError as error:
            for _, left in ready[done:]:
                discard(left)
            if isinstance(error, FileExistsError):
                raise NameTaken(planned.path, frozenset(rest.path for rest, _ in ready[done:])) from error
            raise


def _written_aside(folder: int, plan: Planned, waiting: Sequence[PlannedOutput]) -> list[tuple[PlannedOutput, Name]]:
    """All of them or, on a full disk for one, none: what could be written would only take more of its room."""
    ready: list[tuple[PlannedOutput, Name]] = []
    try:
        for planned in waiting:
            ASIDE.before()
            tag = f"{plan.reservation.media_id}-{planned.format}"
            ready.append((planned, write_aside(folder, tag, plan.rendered.texts[planned.format])))
            ASIDE.effect()
    except OSError:
        for _, left in ready:
            discard(left)
        raise
    return ready


def _put(aside: Name, planned: PlannedOutput) -> None:
    """What is to be replaced is looked at again: a person may have edited it since it was planned."""
    PLACE.before()
    folder, name = aside[0], os.path.basename(planned.path)
    found = content_sha256(name, folder) if planned.replaces else None
    if found is None:
        place(aside, (folder, name))
    elif found == planned.replaces:
        replace(aside, (folder, name))
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), planned.path)
    PLACE.effect()


def write_error_files(
    inbox: InboxSettings, pairs: Sequence[tuple[OwedMedia, Reservation]], now: float
) -> tuple[list[tuple[OwedMedia, Reservation]], dict[int, str | None]]:
    """The reasons stand durably in failed/ before any source moves there. Returns as `place_all`."""
    told: list[tuple[OwedMedia, Reservation]] = []
    stuck: dict[int, str | None] = {}
    touched: set[bytes] = set()
    with FolderTrouble(inbox.failed):
        for media, plan in pairs:
            assert plan.error_file is not None
            try:
                touched.add(write_error_file(inbox, media, plan.error_file, now))
                told.append((media, plan))
            except FileExistsError:
                stuck[media.media_id] = None
            except NotADirectoryError as obstacle:
                stuck[media.media_id] = f"{obstacle.filename}: {obstacle.strerror}"
    _sync(touched, inbox.failed)
    return told, stuck


def write_error_file(inbox: InboxSettings, media: OwedMedia, path: bytes, now: float) -> bytes:
    """Its folder. Raises FileExistsError where something stands that does not speak of this source."""
    folder, name = os.path.split(path)
    failure = Failure(
        media.code or "unknown",
        media.message or "",
        media.remedy or "",
        media.request_id,
        media.task_id,
        media.attempts,
    )
    root, within = seen_from(inbox.failed, path)
    with make_folders(root, os.path.dirname(within)) as opened:
        ERROR_FILE.before()
        aside = write_aside(opened, f"{media.media_id}-error", error_json(failure, media.inbox, media.path, now))
        try:
            (replace if is_own_error_file(media, name, opened) else place)(aside, (opened, name))
        except OSError:
            discard(aside)
            raise
        ERROR_FILE.effect()
    return folder


def _sync(folders: Iterable[bytes], root: Path) -> None:
    """With all on the way to them, so that they can be found."""
    ways: dict[bytes, Path] = {}
    for folder in folders:
        top, within = seen_from(root, folder)
        ways |= dict.fromkeys(way_down(top, within), top)
    with FolderTrouble(root):
        SYNC.before()
        for step, top in ways.items():
            sync_folder(*seen_from(top, step))
        SYNC.effect()


def moving_scope(inbox: InboxSettings) -> str:
    """Not the inbox's own scope: that one closes whenever the inbox could be read."""
    return f"moving:{inbox.inbox}"


def dispose(inbox: InboxSettings, media: OwedMedia, way: Way, ledger_id: str, unsynced: Unsynced) -> Disposal:
    """Raises OutOfOrder for the folder that is at fault; a fault of this file alone is an obstacle.

    A move is to be followed by `sync_moves` of the folders that are added to `unsynced`, before it is recorded.
    """
    try:
        try:
            return send_source_away(inbox.inbox, media, way, ledger_id, unsynced)
        except CannotPlace as trouble:
            with FolderTrouble(trouble.root):
                raise trouble.error from trouble
        except OSError:
            with FolderTrouble(inbox.inbox, moving_scope(inbox)):
                raise
    except OSError as error:
        return Disposal(False, f"{display(media.path)}: {error.strerror or error}")


def sync_moves(inbox: InboxSettings, unsynced: Unsynced) -> None:
    """Make the moves of a group durable. A folder that somebody has removed or renamed meanwhile is no fault.

    Raises OutOfOrder for the folder that is at fault.
    """
    SYNC_MOVES.before()
    for folder, root in unsynced.items():
        about = FolderTrouble(root, moving_scope(inbox) if root == inbox.inbox else "")
        with about, contextlib.suppress(FileNotFoundError, NotADirectoryError):
            sync_folder(*seen_from(root, folder))
    SYNC_MOVES.effect()
