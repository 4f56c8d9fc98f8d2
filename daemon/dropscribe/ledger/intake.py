"""What is taken, what is known already, and what was withdrawn.

Statements that run for every file are built once, at import: building one costs many times what running it does.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, insert, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.rows import KnownMedia, NewMedia, PlannedOutput, Taken
from dropscribe.ledger.schema import DEAD_RECOGNITION, media, output, recognition, stored_object
from dropscribe.model import Failure, Look, RecognitionState

ADOPTED = "its outputs stood there already; the ledger did not know them"
BEFORE_SUBMIT = ("needed", "uploading", "uploaded")

LOOK_COLUMNS = (media.c.size, media.c.mtime_ns, media.c.inode)

_LATEST = (
    select(func.max(media.c.id))
    .where(media.c.inbox == bindparam("inbox"), media.c.path.in_(bindparam("paths", expanding=True)))
    .group_by(media.c.path)
    .scalar_subquery()
)
_KNOWN = select(media.c.id, media.c.path, *LOOK_COLUMNS, media.c.state, media.c.error_file, media.c.moved_to).where(
    media.c.id.in_(_LATEST)
)
_LIVE = select(
    recognition.c.id,
    recognition.c.state,
    recognition.c.sha256,
    recognition.c.model,
    recognition.c.settings,
    recognition.c.preparation,
).where(
    recognition.c.sha256.in_(bindparam("contents", expanding=True)),
    recognition.c.state.not_in(DEAD_RECOGNITION),
)
_INSERT_RECOGNITION = insert(recognition)
_INSERT_MEDIA = insert(media)
_DOOM = update(stored_object).where(stored_object.c.recognition_id == bindparam("owner_id")).values(doomed=True)
WANTED = exists().where(media.c.recognition_id == recognition.c.id, media.c.state == "waiting")
"""Some file waits on this recognition."""
_ABANDON = (
    update(recognition)
    .where(recognition.c.id == bindparam("row_id"), recognition.c.state.in_(("needed", "uploaded")), ~WANTED)
    .values(state="abandoned", finished_at=bindparam("now"))
)

Content = tuple[str, str, str, str]
"""(sha256, model, settings, preparation): what makes a recognition the same."""


def look_values(look: Look) -> dict[str, Any]:
    return {"size": look.size, "mtime_ns": look.mtime_ns, "inode": str(look.inode)}


def look_of(row: Row[Any]) -> Look:
    return Look(row.size, row.mtime_ns, int(row.inode))


def known(connection: Connection, inbox: str, paths: Sequence[bytes]) -> dict[bytes, KnownMedia]:
    """The latest row of each of these paths (at most some hundred)."""
    rows = connection.execute(_KNOWN, {"inbox": inbox, "paths": list(paths)})
    return {  # by position: a rescan asks for every file of a library, and asking a row by name costs twice as much
        path: KnownMedia(media_id, Look(size, mtime_ns, int(inode)), state, error_file, moved_to)
        for media_id, path, size, mtime_ns, inode, state, error_file, moved_to in rows
    }


def take(connection: Connection, inbox: str, files: Sequence[NewMedia], now: float) -> list[Taken]:
    """Write files of one inbox down and let each wait on its recognition: a live one of the same content and recipe, or
    a new one.
    """
    earlier = known(connection, inbox, [new.path for new in files])
    for row in earlier.values():
        if row.state == "waiting":
            withdraw(connection, row.media_id, "another file was put in its place before it was submitted", now)
    contents = sorted({new.fingerprint.sha256 for new in files})
    before = _live(connection, contents)
    fresh: dict[Content, NewMedia] = {}
    for new in files:
        if _content(new) not in before:
            fresh.setdefault(_content(new), new)
    if fresh:
        connection.execute(_INSERT_RECOGNITION, [_recognition_values(new, now) for new in fresh.values()])
    after = _live(connection, contents) if fresh else before
    connection.execute(_INSERT_MEDIA, [_media_values(inbox, new, *after[_content(new)], now) for new in files])
    failed = {path for path, row in earlier.items() if row.state == "failed"}
    return [_taken(new, after[_content(new)], fresh, new.path in failed) for new in files]


def is_unknown(connection: Connection, inbox: str, new: NewMedia) -> bool:
    """Whether neither the path nor the content with its recipe is in the ledger."""
    return not known(connection, inbox, [new.path]) and _content(new) not in _live(connection, [new.fingerprint.sha256])


def adopt(connection: Connection, inbox: str, new: NewMedia, outputs: Sequence[PlannedOutput], now: float) -> bool:
    """A file whose outputs stand already, written for exactly this content and recipe: delivered, nothing is bought.

    False, and nothing written, where the ledger knows the path or the content: then the ordinary way is right.
    """
    if not is_unknown(connection, inbox, new):
        return False
    row = {**_media_values(inbox, new, None, "answered", now), "state": "delivered", "finished_at": now}
    media_id = connection.execute(insert(media).values(**row, reason=ADOPTED)).inserted_primary_key[0]  # type: ignore[index]
    paths = [planned.path for planned in outputs]
    connection.execute(delete(output).where(output.c.path.in_(paths)))
    connection.execute(insert(output), [planned.row(media_id) for planned in outputs])
    return True


def take_failed(connection: Connection, inbox: str, path: bytes, look: Look, failure: Failure, now: float) -> None:
    """A file that cannot be recognised for a reason of its own, found before anything was uploaded."""
    values = failure_values(failure)
    row = {"inbox": inbox, "path": path, "state": "failing", "taken_at": now, **look_values(look), **values}
    connection.execute(insert(media).values(**row))


def failure_values(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "remedy": failure.remedy,
        "request_id": failure.request_id,
        "task_id": failure.task_id,
        "attempts": failure.attempts,
    }


def withdraw(connection: Connection, media_id: int, reason: str, now: float) -> bool:
    """A source that vanished or was replaced before its submit; its recognition goes too if nobody else waits on it."""
    row = connection.execute(select(media.c.recognition_id).where(media.c.id == media_id)).first()
    if row is None or row.recognition_id is None:
        return False
    free = exists().where(recognition.c.id == media.c.recognition_id, recognition.c.state.in_(BEFORE_SUBMIT))
    changed = connection.execute(
        update(media)
        .where(media.c.id == media_id, media.c.state == "waiting", free)
        .values(state="withdrawn", reason=reason, finished_at=now)
    )
    if changed.rowcount == 1:
        abandon_unwanted(connection, row.recognition_id, now)
    return changed.rowcount == 1


def abandon_unwanted(connection: Connection, recognition_id: int, now: float) -> bool:
    """Give up a recognition that no file waits on any more, if nothing was paid for it yet."""
    changed = connection.execute(_ABANDON, {"row_id": recognition_id, "now": now})
    if changed.rowcount == 1:
        spending.release(connection, recognition_id)
        doom_objects(connection, [recognition_id])
    return changed.rowcount == 1


def doom_objects(connection: Connection, recognition_ids: Sequence[int]) -> None:
    """Everything in the bucket that belongs to these recognitions has to go."""
    if recognition_ids:
        connection.execute(_DOOM, [{"owner_id": recognition_id} for recognition_id in recognition_ids])


def _live(connection: Connection, contents: Sequence[str]) -> dict[Content, tuple[int, RecognitionState]]:
    rows = connection.execute(_LIVE, {"contents": list(contents)})
    return {(row.sha256, row.model, row.settings, row.preparation): (row.id, row.state) for row in rows}


def _content(new: NewMedia) -> Content:
    return (new.fingerprint.sha256, new.recipe.model, new.recipe.settings, new.recipe.preparation)


def _recognition_values(new: NewMedia, now: float) -> dict[str, Any]:
    sha256, model, settings, preparation = _content(new)
    return {
        "sha256": sha256,
        "model": model,
        "settings": settings,
        "preparation": preparation,
        "size": new.fingerprint.look.size,
        "size_class": new.size_class,
        "crc64": f"{new.fingerprint.crc64:016x}",
        "suffix": new.suffix,
        "state": "needed",
        "created_at": now,
    }


def _media_values(
    inbox: str, new: NewMedia, recognition_id: int | None, state: RecognitionState, now: float
) -> dict[str, Any]:
    return {
        "inbox": inbox,
        "path": new.path,
        "sha256": new.fingerprint.sha256,
        "recognition_id": recognition_id,
        "state": "due" if state == "answered" else "waiting",
        "taken_at": now,
        **look_values(new.fingerprint.look),
    }


def _taken(new: NewMedia, joined: tuple[int, RecognitionState], fresh: dict[Content, NewMedia], again: bool) -> Taken:
    return Taken(new.path, joined[1], fresh.get(_content(new)) is new, again)
