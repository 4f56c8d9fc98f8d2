"""Which files are owed their outputs or their error file, under which reserved names, and that they have them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, Connection, Row, delete, func, insert, select, update

from dropscribe.ledger.intake import failure_values, look_of
from dropscribe.ledger.rows import OwedMedia, Owner, PlannedOutput, Reservation
from dropscribe.ledger.schema import OPEN_MEDIA, OWED_MEDIA, media, output, recognition, result
from dropscribe.model import Failure


def owed(connection: Connection, inbox: str, limit: int, now: float) -> list[OwedMedia]:
    """Files of an inbox that are owed something now, oldest first."""
    query = (
        select(media, recognition.c.model, recognition.c.settings, recognition.c.task_id.label("paid_task"))
        .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
        .where(media.c.inbox == inbox, media.c.state.in_(OWED_MEDIA), media.c.wait_until <= now)
        .order_by(media.c.id)
        .limit(limit)
    )
    return [_owed(row) for row in connection.execute(query)]


def next_owed(connection: Connection, inbox: str, now: float) -> float | None:
    """When the next file that waits for another try of its delivery is due."""
    waiting = (media.c.inbox == inbox, media.c.state.in_(OWED_MEDIA), media.c.wait_until > now)
    return connection.execute(select(func.min(media.c.wait_until)).where(*waiting)).scalar()


def results(connection: Connection, recognition_ids: Sequence[int]) -> dict[int, bytes]:
    """The kept raw results, compressed."""
    rows = connection.execute(select(result).where(result.c.recognition_id.in_(recognition_ids)))
    return {row.recognition_id: row.body for row in rows}


def owners(connection: Connection, paths: Sequence[bytes]) -> dict[bytes, Owner]:
    """To whom these output paths belong, of those we know."""
    query = (
        select(
            output, media.c.inbox, media.c.path.label("source"), media.c.sha256.label("source_sha256"), media.c.state
        )
        .join(media, media.c.id == output.c.media_id)
        .where(output.c.path.in_(paths))
    )
    return {
        row.path: Owner(row.media_id, row.inbox, row.source, row.source_sha256, row.state, row.sha256, row.replaces)
        for row in connection.execute(query)
    }


def outputs_of(connection: Connection, media_ids: Sequence[int]) -> dict[int, list[PlannedOutput]]:
    """The outputs that are reserved for these files, or were delivered."""
    found: dict[int, list[PlannedOutput]] = {}
    for row in connection.execute(select(output).where(output.c.media_id.in_(media_ids)).order_by(output.c.path)):
        found.setdefault(row.media_id, []).append(PlannedOutput(row.path, row.format, row.sha256, row.replaces))
    return found


def error_file_owner(connection: Connection, path: bytes) -> tuple[str, bytes] | None:
    """(inbox, source) of the failed file that an error file belongs to."""
    query = select(media.c.inbox, media.c.path).where(media.c.error_file == path).order_by(media.c.id.desc())
    row = connection.execute(query).first()
    return None if row is None else (row.inbox, row.path)


def reserve(connection: Connection, plans: Sequence[Reservation]) -> set[int]:
    """Write down all names that are about to be used, before the first rename; return the files it succeeded for.

    An output path of an earlier delivery of the same source passes to this one.
    """
    return {plan.media_id for plan in plans if _reserve(connection, plan)}


def _reserve(connection: Connection, plan: Reservation) -> bool:
    names = {"moved_to": plan.moved_to, "error_file": plan.error_file}
    mine = media.c.id == plan.media_id
    owing = update(media).where(mine, media.c.state.in_(("due", "delivering")))
    if connection.execute(owing.values(state="delivering", **names)).rowcount == 0:
        return connection.execute(update(media).where(mine, media.c.state == "failing").values(**names)).rowcount == 1
    connection.execute(delete(output).where(output.c.media_id == plan.media_id))
    connection.execute(delete(output).where(output.c.path.in_([planned.path for planned in plan.outputs])))
    if plan.outputs:
        rows = [{"media_id": plan.media_id, **asdict(planned)} for planned in plan.outputs]
        connection.execute(insert(output), rows)
    return True


def delivered(connection: Connection, finished: Sequence[tuple[int, str | None]], now: float) -> None:
    """Outputs are durable and the source is where it belongs, or the reason says why it stayed: (media id, reason)."""
    _finish(connection, finished, "delivering", "delivered", now)


def failed(connection: Connection, finished: Sequence[tuple[int, str | None]], now: float) -> None:
    """The error file is durable and the source is where it belongs, or the reason says why it stayed."""
    _finish(connection, finished, "failing", "failed", now)


def _finish(
    connection: Connection, finished: Sequence[tuple[int, str | None]], here: str, there: str, now: float
) -> None:
    if finished:
        connection.execute(
            update(media)
            .where(media.c.id == bindparam("row_id"), media.c.state == here)
            .values(state=there, reason=bindparam("why"), finished_at=now, wait_until=0.0),
            [{"row_id": media_id, "why": reason} for media_id, reason in finished],
        )


def fail(connection: Connection, media_id: int, failure: Failure) -> bool:
    """A result that cannot be used: the file fails though it was answered."""
    changed = connection.execute(
        update(media)
        .where(media.c.id == media_id, media.c.state.in_(("due", "delivering")))
        .values(state="failing", **failure_values(failure))
    )
    return changed.rowcount == 1


def postpone(connection: Connection, media_ids: Sequence[int], reason: str, wait_until: float) -> None:
    """The folder or the disk is in trouble: nothing is charged."""
    connection.execute(update(media).where(media.c.id.in_(media_ids)).values(reason=reason, wait_until=wait_until))


def count_open(connection: Connection) -> int:
    """Files that are neither delivered, failed nor withdrawn."""
    return connection.execute(select(func.count()).select_from(media).where(media.c.state.in_(OPEN_MEDIA))).scalar_one()


def count_failed(connection: Connection, epoch_began: float) -> int:
    """Files that failed since this moment."""
    query = select(func.count()).select_from(media).where(media.c.state == "failed", media.c.finished_at >= epoch_began)
    return connection.execute(query).scalar_one()


def _owed(row: Row[Any]) -> OwedMedia:
    return OwedMedia(
        media_id=row.id,
        inbox=row.inbox,
        path=row.path,
        look=look_of(row),
        sha256=row.sha256,
        state=row.state,
        recognition_id=row.recognition_id,
        model=row.model,
        settings=row.settings,
        task_id=row.task_id or row.paid_task,
        moved_to=row.moved_to,
        error_file=row.error_file,
        code=row.code,
        message=row.message,
        remedy=row.remedy,
        request_id=row.request_id,
        attempts=row.attempts,
    )
