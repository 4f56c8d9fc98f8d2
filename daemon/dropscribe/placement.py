"""Outputs, error files and sources into place, each whole or not at all, as planned. Blocking; for threads."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from dropscribe.boundaries import Step
from dropscribe.config.settings import InboxSettings
from dropscribe.disk.moving import Unsynced, never
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
from dropscribe.disk.sources import parent_of, seen_from
from dropscribe.disk.together import together
from dropscribe.dispose import CannotPlace, Disposal, Way, send_source_away
from dropscribe.error_file import error_json
from dropscribe.folders import FolderTrouble
from dropscribe.ledger.rows import OwedMedia, PlannedOutput, Reservation, StaleReason
from dropscribe.model import Failure
from dropscribe.names import LAST, display, partial_name
from dropscribe.planning import LARGEST_ERROR_FILE, Planned, is_own_error_file

ASIDE = Step("deliver.write-aside", "before", "effect")
PLACE = Step("deliver.place", "before", "effect")
SYNC_BEFORE_LAST = Step("deliver.sync-before-last", "before", "effect")
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

    The transcripts come last, when all else of the group is durable: after a power cut, too, one says that its set is
    complete. What a file did not place is noted in `unplaced`.
    """
    stuck: dict[int, str | None] = {}

    def each(plans: Sequence[Planned], act: Callable[[InboxSettings, Planned], None]) -> list[Planned]:
        done: list[Planned] = []
        fault: OSError | None = None
        for plan, error in zip(plans, together(lambda plan: _failed(act, inbox, plan), plans), strict=True):
            media_id = plan.reservation.media_id
            if error is None:
                done.append(plan)
            elif isinstance(error, NameTaken):
                stuck[media_id] = None
                unplaced[media_id] = error.unplaced
            elif isinstance(error, NotADirectoryError):
                stuck[media_id] = f"{error.filename}: {error.strerror}"
            else:
                fault = fault or error
        if fault is not None:  # of the folder; what was noted of single files stays true
            raise fault
        return done

    with FolderTrouble(inbox.outbox):
        begun = each(plans, place_first)
        _sync_before_last(inbox.outbox, begun)
        placed = each(begun, place_last)
        folders = {os.path.dirname(planned.path) for plan in placed for planned in plan.reservation.outputs}
    _sync(folders, inbox.outbox)
    return placed, stuck


def _failed(act: Callable[[InboxSettings, Planned], None], inbox: InboxSettings, plan: Planned) -> OSError | None:
    try:
        act(inbox, plan)
    except OSError as error:
        return error
    return None


def place_first(inbox: InboxSettings, plan: Planned) -> None:
    """Write the whole set aside and place all of it but the transcript.

    Raises NameTaken; NotADirectoryError; other OSError.
    """
    waiting = _waiting(plan)
    if not waiting:
        return
    with _folder_of(inbox, waiting) as folder:
        ready = _written_aside(folder, plan, waiting)
        others = [one for one in ready if one[1].format != LAST]
        _place_each(others, ready[len(others) :])


def place_last(inbox: InboxSettings, plan: Planned) -> None:
    """Place the transcript, which stands aside. Raises as `place_first`."""
    waiting = [planned for planned in _waiting(plan) if planned.format == LAST]
    if waiting:
        with _folder_of(inbox, waiting) as folder:
            _place_each([((folder, partial_name(_tag(plan, planned))), planned) for planned in waiting])


def _waiting(plan: Planned) -> list[PlannedOutput]:
    return [planned for planned in plan.reservation.outputs if planned.path not in plan.standing]


def _folder_of(inbox: InboxSettings, outputs: Sequence[PlannedOutput]) -> AbstractContextManager[int]:
    root, within = seen_from(inbox.outbox, outputs[0].path)
    return make_folders(root, os.path.dirname(within))


def _written_aside(folder: int, plan: Planned, waiting: Sequence[PlannedOutput]) -> list[tuple[Name, PlannedOutput]]:
    """All of them or, on a full disk for one, none: what could be written would only take more of its room."""
    ready: list[tuple[Name, PlannedOutput]] = []
    try:
        for planned in waiting:
            ASIDE.before()
            ready.append((write_aside(folder, _tag(plan, planned), plan.rendered.texts[planned.format]), planned))
            ASIDE.effect()
    except OSError:
        for aside, _ in ready:
            discard(aside)
        raise
    return ready


def _tag(plan: Planned, planned: PlannedOutput) -> str:
    return f"{plan.reservation.media_id}-{planned.format}"


def _place_each(ready: Sequence[tuple[Name, PlannedOutput]], later: Sequence[tuple[Name, PlannedOutput]] = ()) -> None:
    """What is not placed, also of what is to come `later`, does not stay aside."""
    for done, (aside, planned) in enumerate(ready):
        try:
            _put(aside, planned)
        except OSError as error:
            left = [*ready[done:], *later]
            for name, _ in left:
                discard(name)
            if isinstance(error, FileExistsError):
                raise NameTaken(planned.path, frozenset(rest.path for _, rest in left)) from error
            raise


def _sync_before_last(root: Path, plans: Sequence[Planned]) -> None:
    """Once for each folder, also of what an earlier try has placed. The way to it may be lost, but only as a whole."""
    sets = [plan.reservation.outputs for plan in plans if any(one.format == LAST for one in _waiting(plan))]
    SYNC_BEFORE_LAST.before()
    folders = {os.path.dirname(outputs[0].path) for outputs in sets if len(outputs) > 1}
    together(lambda folder: sync_folder(*seen_from(root, folder)), folders)
    SYNC_BEFORE_LAST.effect()


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
    root, within = seen_from(inbox.failed, path)
    with make_folders(root, os.path.dirname(within)) as opened:
        ERROR_FILE.before()
        aside = write_aside(opened, f"{media.media_id}-error", reason_of(media, now))
        try:
            (replace if is_own_error_file(media, name, opened) else place)(aside, (opened, name))
        except OSError:
            discard(aside)
            raise
        ERROR_FILE.effect()
    return folder


def reason_of(media: OwedMedia, failed_at: float) -> bytes:
    """What the error file of a failed file says."""
    failure = Failure(
        media.code or "unknown",
        media.message or "",
        media.remedy or "",
        media.request_id,
        media.task_id,
        media.attempts,
    )
    return error_json(failure, media.inbox, media.path, failed_at)


def remove_reason(root: Path, reason: StaleReason) -> bool:
    """Remove an error file that is byte for byte as we wrote it; False where one stands that a person has made theirs.

    One that is gone counts as removed. Raises FileNotFoundError, NotADirectoryError where its folder is; other OSError.
    """
    with parent_of(*seen_from(root, reason.path)) as (folder, name):
        found = content_sha256(name, folder, LARGEST_ERROR_FILE)
        if found == hashlib.sha256(reason_of(reason.media, reason.failed_at)).hexdigest():
            os.unlink(name, dir_fd=folder)
            return True
        return found is None


def _sync(folders: Iterable[bytes], root: Path) -> None:
    """With all on the way to them, so that they can be found."""
    ways: dict[bytes, Path] = {}
    for folder in folders:
        top, within = seen_from(root, folder)
        ways |= dict.fromkeys(way_down(top, within), top)
    with FolderTrouble(root):
        SYNC.before()
        together(lambda way: sync_folder(*seen_from(way[1], way[0])), ways.items())
        SYNC.effect()


def moving_scope(inbox: InboxSettings) -> str:
    """Not the inbox's own scope: that one closes whenever the inbox could be read."""
    return f"moving:{inbox.inbox}"


def dispose(
    inbox: InboxSettings,
    media: OwedMedia,
    way: Way,
    ledger_id: str,
    unsynced: Unsynced,
    stop: Callable[[], bool] = never,
) -> Disposal:
    """Raises OutOfOrder for the folder that is at fault, and Stopped; a fault of this file alone is an obstacle.

    A move is to be followed by `sync_moves` of the folders that are added to `unsynced`, before it is recorded.
    """
    try:
        try:
            return send_source_away(inbox.inbox, media, way, ledger_id, unsynced, stop)
        except CannotPlace as trouble:
            with FolderTrouble(trouble.root):
                raise trouble.error from trouble
        except OSError:
            with FolderTrouble(inbox.inbox, moving_scope(inbox)):
                raise
    except OSError as error:
        return Disposal(False, f"{display(media.path)}: {error.strerror or error}")


def sync_moves(inbox: InboxSettings, unsynced: Unsynced) -> None:
    """Make the moves of a group durable, first where the sources are now, then where they were: a file system without a
    journal may keep a rename by halves. A folder that somebody has removed or renamed meanwhile is no fault.

    Raises OutOfOrder for the folder that is at fault.
    """

    def sync(folder: bytes, root: Path) -> None:
        about = FolderTrouble(root, moving_scope(inbox) if root == inbox.inbox else "")
        with about, contextlib.suppress(FileNotFoundError, NotADirectoryError):
            sync_folder(*seen_from(root, folder))

    SYNC_MOVES.before()
    for was_there in (False, True):
        together(lambda one: sync(*one), [one for one in unsynced.items() if (one[1] == inbox.inbox) == was_there])
    SYNC_MOVES.effect()
