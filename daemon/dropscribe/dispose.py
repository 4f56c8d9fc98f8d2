"""A source after its delivery or failure: what moves is the very file that was heard.

    hide it under a private name -> prove that it is the file that was taken -> place or delete it
    (not the one: it gets its name back, and is taken anew)

Every step finds out by itself how far an interrupted try came; done twice, nothing happens twice.
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dropscribe.boundaries import Step
from dropscribe.disk.moving import Unsynced, hide, never, place_source, put_back, remove_source, touched_by_move, verify
from dropscribe.disk.placing import sha256_within, sync_folder, way_down
from dropscribe.disk.sources import GONE, Stopped, lies_below, look_at, look_of_stat, seen_from, stat_within
from dropscribe.errors import DropscribeError, SourceChanged
from dropscribe.ledger.rows import OwedMedia
from dropscribe.model import Look
from dropscribe.names import PRIVATE_PREFIX, display
from dropscribe.naming import numbers

HIDE = Step("source.hide", "before", "effect")
GO = Step("source.move", "before", "effect")

VANISHED = "the source had vanished from the inbox"
UNLIKE = "its content changed though its size and time did not; it is tried again"
REPLACED = "another file stands in the source's place; it stays and is taken anew"


@dataclass(frozen=True)
class Stay:
    """`keep`: the source stays in the inbox."""


@dataclass(frozen=True)
class Remove:
    """`delete`."""


@dataclass(frozen=True)
class MoveTo:
    """To `path` (absolute) below `root`. `resuming`: this very target was recorded by an earlier try."""

    root: Path
    path: bytes
    resuming: bool


Way = Stay | Remove | MoveTo


@dataclass(frozen=True)
class Disposal:
    """`final` is False where the move has to be planned anew: another name is needed, or `reason` names an obstacle.

    A final one with a `reason` says why the source is not where it was to go.
    """

    final: bool
    reason: str | None = None


@dataclass(eq=False)
class CannotPlace(DropscribeError):
    """Placing the source below `root` failed: that folder is in trouble, not the inbox."""

    root: Path
    error: OSError


def private_name(media_id: int, ledger_id: str) -> bytes:
    """The name under which a source is hidden; the same after a crash."""
    return PRIVATE_PREFIX + f"{ledger_id}-{media_id}.moving".encode()


def send_source_away(
    root: Path,
    media: OwedMedia,
    way: Way,
    ledger_id: str,
    unsynced: Unsynced | None = None,
    stop: Callable[[], bool] = never,
) -> Disposal:
    """Move or delete the source of one file. Blocking.

    Where `unsynced` is given, a move is durable once the folders that are added to it are synced; else at once.

    Raises:
        Stopped: `stop` said so while it was copied; it lies where it lay.
        OSError: a fault of the inbox.
        CannotPlace: a fault of the folder that it was to be placed in.
    """
    name = private_name(media.media_id, ledger_id)
    hidden = os.path.join(os.path.dirname(media.path), name)
    if isinstance(way, Stay):  # a try of before the configuration changed may have hidden it
        show(root, media.media_id, media.path, ledger_id, unsynced)
        return Disposal(True)
    reason = _hide(root, media, name, hidden)
    if reason is not None:
        _to_be_synced(root, hidden, unsynced)  # an earlier try may have removed it and not come to that
        return Disposal(True, None if _has_arrived(root, media, hidden, way, unsynced) else reason)
    if isinstance(way, Remove):
        GO.before()
        remove_source(root, hidden)
        GO.effect()
        return Disposal(True)
    return _place(root, media, way, hidden, unsynced, stop)


def is_hidden(root: Path, media_id: int, path: bytes, ledger_id: str) -> bool:
    """Whether a source stands in its inbox under its private name, because its move was interrupted."""
    return look_at(root, os.path.join(os.path.dirname(path), private_name(media_id, ledger_id))) != GONE


def show(root: Path, media_id: int, path: bytes, ledger_id: str, unsynced: Unsynced | None = None) -> None:
    """A source that was hidden gets its name back, or the next free one. Raises OSError."""
    if is_hidden(root, media_id, path, ledger_id):
        hidden = os.path.join(os.path.dirname(path), private_name(media_id, ledger_id))
        _give_back(root, hidden, path)
        _to_be_synced(root, hidden, unsynced)


def _to_be_synced(root: Path, hidden: bytes, unsynced: Unsynced | None) -> None:
    """The folder of a source whose name changed: under its private name nobody would look for it any more."""
    folder = os.path.dirname(hidden)
    if unsynced is None:
        sync_folder(root, folder)
    else:
        unsynced[way_down(root, folder)[-1]] = root


def _has_arrived(root: Path, media: OwedMedia, hidden: bytes, way: Way, unsynced: Unsynced | None) -> bool:
    """Whether an earlier try has moved the source; what it could not sync is to be synced now."""
    if not (isinstance(way, MoveTo) and way.resuming and is_there(media, way.root, way.path)):
        return False
    if unsynced is not None:
        unsynced |= touched_by_move(root, hidden, *seen_from(way.root, way.path))
    return True


def still_fits(media: OwedMedia, root: Path, target: bytes) -> bool:
    """Whether a recorded target may be used on: what stands there is this very source; or nothing does, and it lies
    below `root`. A folder of an earlier configuration is nobody's charge: it may be full, gone, or not mounted.
    """
    return is_there(media, root, target) or (lies_below(root, target) and not os.path.lexists(target))


def is_there(media: OwedMedia, root: Path, target: bytes) -> bool:
    """Whether the source has arrived at `target`, an absolute path below `root`."""
    top, relative = seen_from(root, target)
    try:
        found = stat_within(top, relative)
    except OSError:
        return False
    if found.st_size != media.look.size:
        return False
    if media.sha256 is None:  # never read: a copy of ours keeps the time to the nanosecond
        return found.st_mtime_ns == media.look.mtime_ns
    return look_of_stat(found) == media.look or sha256_within(top, relative, media.look.size) == media.sha256


def _hide(root: Path, media: OwedMedia, name: bytes, hidden: bytes) -> str | None:
    """None when the very file that was taken is hidden; else why not."""
    if look_at(root, hidden) == GONE:
        found = look_at(root, media.path)
        if not isinstance(found, Look):
            return VANISHED
        if found != media.look:
            return REPLACED
        HIDE.before()
        try:
            hide(root, media.path, name)
        except FileNotFoundError:
            return VANISHED
        HIDE.effect()
    if verify(root, hidden, media.look):
        return None
    _give_back(root, hidden, media.path)
    return REPLACED


def _give_back(root: Path, hidden: bytes, path: bytes) -> None:
    """Its name again; where something newer took that meanwhile, the next free one in the same folder."""
    for name in numbers(path):
        with contextlib.suppress(FileExistsError):
            put_back(root, hidden, name)
            return


def _place(
    root: Path, media: OwedMedia, way: MoveTo, hidden: bytes, unsynced: Unsynced | None, stop: Callable[[], bool]
) -> Disposal:
    top, relative = seen_from(way.root, way.path)
    sha256 = media.sha256 or ""
    GO.before()
    try:
        place_source(
            root, hidden, top, relative, media.look, sha256, resuming=way.resuming, stop=stop, unsynced=unsynced
        )
    except FileExistsError:
        return Disposal(False)
    except NotADirectoryError as obstacle:
        return Disposal(False, f"{obstacle.filename}: {obstacle.strerror}")
    except SourceChanged:
        looks_alike = look_at(root, hidden) == media.look
        _give_back(root, hidden, media.path)
        _to_be_synced(root, hidden, unsynced)
        if looks_alike and media.state == "failing":  # as failed it would be taken anew at once, and so for ever
            return Disposal(False, f"{display(media.path)}: {UNLIKE}")
        return Disposal(True, REPLACED)
    except (OSError, Stopped) as error:
        with contextlib.suppress(OSError):  # while it waits, a person finds it where it was dropped, if that is free
            put_back(root, hidden, media.path)
        if isinstance(error, Stopped):
            raise
        raise CannotPlace(way.root, error) from error
    GO.effect()
    return Disposal(True)
