"""What is taken, what is known already, and what was withdrawn."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, select, update

from dropscribe.ledger.rows import KnownMedia, NewMedia, Taken
from dropscribe.ledger.schema import DEAD_RECOGNITION, media, recognition, stored_object
from dropscribe.model import Failure, Look, Recipe, RecognitionState

BEFORE_SUBMIT = ("needed", "uploading", "uploaded")


def look_values(look: Look) -> dict[str, Any]:
    return {
        "size": look.size,
        "mtime_ns": look.mtime_ns,
        "inode": str(look.inode),
        "device": str(look.device),
    }


def look_of(row: Row[Any]) -> Look:
    return Look(row.size, row.mtime_ns, int(row.inode), int(row.device))


def known(connection: Connection, inbox: str, paths: Sequence[bytes]) -> dict[bytes, KnownMedia]:
    """The latest row of each of these paths (at most some hundred)."""
    latest = (
        select(func.max(media.c.id))
        .where(media.c.inbox == inbox, media.c.path.in_(paths))
        .group_by(media.c.path)
        .scalar_subquery()
    )
    rows = connection.execute(select(media).where(media.c.id.in_(latest)))
    return {row.path: KnownMedia(row.id, look_of(row), row.state, row.error_file) for row in rows}


def take(connection: Connection, new: NewMedia, now: float) -> Taken:
    """Write a file down and let it wait on its recognition: a live one of the same content and recipe, or a new one."""
    earlier = known(connection, new.inbox, [new.path]).get(new.path)
    _withdraw_replaced(connection, earlier, now)
    recognition_id, state, fresh = _join(connection, new, now)
    inserted = connection.execute(
        insert(media).values(
            inbox=new.inbox,
            path=new.path,
            sha256=new.fingerprint.sha256,
            recognition_id=recognition_id,
            state="due" if state == "answered" else "waiting",
            taken_at=now,
            **look_values(new.fingerprint.look),
        )
    )
    stale = earlier.error_file if earlier is not None and earlier.state == "failed" else None
    return Taken(_new_id(inserted), recognition_id, state, fresh, stale)


def take_failed(connection: Connection, inbox: str, path: bytes, look: Look, failure: Failure, now: float) -> int:
    """A file that cannot be recognised for a reason of its own, found before anything was uploaded."""
    values = failure_values(failure)
    row = {"inbox": inbox, "path": path, "state": "failing", "taken_at": now, **look_values(look), **values}
    return _new_id(connection.execute(insert(media).values(**row)))


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
    wanted = exists().where(media.c.recognition_id == recognition.c.id, media.c.state == "waiting")
    changed = connection.execute(
        update(recognition)
        .where(recognition.c.id == recognition_id, recognition.c.state.in_(("needed", "uploaded")), ~wanted)
        .values(state="abandoned", finished_at=now)
    )
    if changed.rowcount == 1:
        doom_objects(connection, recognition_id)
    return changed.rowcount == 1


def doom_objects(connection: Connection, recognition_id: int) -> None:
    """Everything in the bucket that belongs to this recognition has to go."""
    mine = stored_object.c.recognition_id == recognition_id
    connection.execute(update(stored_object).where(mine).values(doomed=True))


def waiting_sources(connection: Connection, inbox: str, after: int, limit: int) -> list[tuple[int, bytes, Look]]:
    """Files that wait on a recognition which is not submitted yet, in pages: for noticing those that vanished."""
    query = (
        select(media)
        .join(recognition, recognition.c.id == media.c.recognition_id)
        .where(media.c.inbox == inbox, media.c.state == "waiting", media.c.id > after)
        .where(recognition.c.state.in_(BEFORE_SUBMIT))
        .order_by(media.c.id)
        .limit(limit)
    )
    return [(row.id, row.path, look_of(row)) for row in connection.execute(query)]


def _withdraw_replaced(connection: Connection, earlier: KnownMedia | None, now: float) -> None:
    if earlier is not None and earlier.state == "waiting":
        withdraw(connection, earlier.media_id, "another file was put in its place before it was submitted", now)


def _join(connection: Connection, new: NewMedia, now: float) -> tuple[int, RecognitionState, bool]:
    found = connection.execute(_live(new.fingerprint.sha256, new.recipe)).first()
    if found is not None:
        return found.id, found.state, False
    inserted = connection.execute(
        insert(recognition).values(
            sha256=new.fingerprint.sha256,
            model=new.recipe.model,
            settings=new.recipe.settings,
            preparation=new.recipe.preparation,
            size=new.fingerprint.look.size,
            size_class=new.size_class,
            crc64=f"{new.fingerprint.crc64:016x}",
            suffix=new.suffix,
            state="needed",
            created_at=now,
        )
    )
    return _new_id(inserted), "needed", True


def _live(sha256: str, recipe: Recipe) -> Any:
    return select(recognition.c.id, recognition.c.state).where(
        recognition.c.sha256 == sha256,
        recognition.c.model == recipe.model,
        recognition.c.settings == recipe.settings,
        recognition.c.preparation == recipe.preparation,
        recognition.c.state.not_in(DEAD_RECOGNITION),
    )


def _new_id(inserted: Any) -> int:
    return int(inserted.inserted_primary_key[0])
