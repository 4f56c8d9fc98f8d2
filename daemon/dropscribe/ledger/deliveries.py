"""Which files are owed their outputs or their error file, under which reserved names, and that they have them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, func, insert, select, update

from dropscribe.ledger import notices
from dropscribe.ledger.intake import failure_values, look_of
from dropscribe.ledger.rows import OwedMedia, Owner, PlannedOutput, Reservation, StaleWrite
from dropscribe.ledger.schema import OPEN_MEDIA, OWED_MEDIA, batch_item, media, output, recognition, result
from dropscribe.model import Failure

_older = media.alias("older")
# A later version of a file must not overtake an earlier one: it would find the names taken, or be overwritten.
_EARLIER_IS_OWED = exists().where(
    _older.c.inbox == media.c.inbox,
    _older.c.path == media.c.path,
    _older.c.id < media.c.id,
    _older.c.state.in_(OWED_MEDIA),
)
OWED_COLUMNS = (media, recognition.c.model, recognition.c.settings, recognition.c.task_id.label("paid_task"))
_OWED = (
    select(*OWED_COLUMNS)
    .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
    .where(media.c.inbox == bindparam("of_inbox"), media.c.state == bindparam("owing"))
    .where(media.c.wait_until <= bindparam("now"), ~_EARLIER_IS_OWED)
    .order_by(media.c.id)
    .limit(bindparam("most"))
)
_NEXT_OWED = select(func.min(media.c.wait_until)).where(
    media.c.inbox == bindparam("of_inbox"), media.c.state.in_(OWED_MEDIA), media.c.wait_until > bindparam("now")
)
_OPEN = (
    select(media.c.id)
    .where(media.c.state.in_(OPEN_MEDIA), media.c.inbox.in_(bindparam("of_inboxes", expanding=True)))
    .limit(1)
)
_IN_BATCHES = exists().where(
    batch_item.c.recognition_id == media.c.recognition_id,
    batch_item.c.live,
    batch_item.c.batch_id.in_(bindparam("but_batches", expanding=True)),
)
_RESULTS = select(result.c.recognition_id, result.c.body).where(
    result.c.recognition_id.in_(bindparam("ids", expanding=True))
)
_OWNERS = (
    select(output, media.c.inbox, media.c.path.label("source"), media.c.sha256.label("source_sha256"), media.c.state)
    .join(media, media.c.id == output.c.media_id)
    .where(output.c.path.in_(bindparam("paths", expanding=True)))
)
_OUTPUTS = select(output).where(output.c.media_id.in_(bindparam("ids", expanding=True))).order_by(output.c.path)
_DELIVERING = (
    update(media)
    # two comparisons: an IN list cannot be expanded for many rows at once
    .where(media.c.id == bindparam("row_id"), (media.c.state == "due") | (media.c.state == "delivering"))
    .values(state="delivering", moved_to=bindparam("target"), error_file=None)
)
_FAILING = (
    update(media)
    .where(media.c.id == bindparam("row_id"), media.c.state == "failing")
    .values(moved_to=bindparam("target"), error_file=bindparam("reason_file"))
)
_DROP_NAMES = delete(output).where(output.c.media_id.in_(bindparam("ids", expanding=True)))
_PASS_NAMES = delete(output).where(output.c.path.in_(bindparam("paths", expanding=True)))
_RESERVE_NAME = insert(output)
_SOURCES = select(media.c.id, media.c.inbox, media.c.path).where(media.c.id.in_(bindparam("ids", expanding=True)))
_IN_FAILED = (
    select(media)
    .where(media.c.state.in_(("failing", "failed")))
    .where((media.c.inbox != bindparam("of_inbox")) | (media.c.path != bindparam("of_path")))
    .where(
        media.c.moved_to.in_(bindparam("paths", expanding=True))
        | media.c.error_file.in_(bindparam("paths", expanding=True))
    )
    .order_by(media.c.state)  # "failed" before "failing", which counts more and is to be kept
)


def owed(
    connection: Connection, inbox: str, limit: int, now: float, states: Sequence[str] = OWED_MEDIA
) -> list[OwedMedia]:
    """Files of an inbox that are owed something now, oldest first; of several versions of a path the oldest alone."""
    values = {"of_inbox": inbox, "most": limit, "now": now}
    # One state at a time, which the index has in order: of two, all that is owed would have to be sorted for a few.
    rows = [row for state in states for row in connection.execute(_OWED, {**values, "owing": state})]
    return [owed_of(row) for row in sorted(rows, key=lambda row: row.id)[:limit]]


def next_owed(connection: Connection, inbox: str, now: float) -> float | None:
    """When the next file that waits for another try of its delivery is due."""
    return connection.execute(_NEXT_OWED, {"of_inbox": inbox, "now": now}).scalar()


def results(connection: Connection, recognition_ids: Sequence[int]) -> dict[int, bytes]:
    """The kept raw results, compressed."""
    rows = connection.execute(_RESULTS, {"ids": list(recognition_ids)})
    return {row.recognition_id: row.body for row in rows}


def owners(connection: Connection, paths: Sequence[bytes]) -> dict[bytes, Owner]:
    """To whom these output paths belong, of those we know."""
    return {
        row.path: Owner(row.media_id, row.inbox, row.source, row.source_sha256, row.state, row.sha256, row.replaces)
        for row in connection.execute(_OWNERS, {"paths": list(paths)})
    }


def outputs_of(connection: Connection, media_ids: Sequence[int]) -> dict[int, list[PlannedOutput]]:
    """The outputs that are reserved for these files, or were delivered."""
    found: dict[int, list[PlannedOutput]] = {}
    for row in connection.execute(_OUTPUTS, {"ids": list(media_ids)}):
        found.setdefault(row.media_id, []).append(PlannedOutput(row.path, row.format, row.sha256, row.replaces))
    return found


def error_file_owner(connection: Connection, path: bytes) -> tuple[str, bytes] | None:
    """(inbox, source) of the failed file that an error file belongs to."""
    query = select(media.c.inbox, media.c.path).where(media.c.error_file == path).order_by(media.c.id.desc())
    row = connection.execute(query).first()
    return None if row is None else (row.inbox, row.path)


def reserve(connection: Connection, plans: Sequence[Reservation], given_up: Collection[int] = ()) -> set[int]:
    """Write down all names that are about to be used, before the first rename; return the media that got theirs.

    An output path of an earlier delivery passes to this one if it is of the same source, or one of `given_up`: media
    that were finished, and whose file was gone, when these names were chosen. A plan with a name that somebody else has
    is left out as a whole: it is to be made anew.

    Raises:
        StaleWrite: one of the files is not owed anything any more; nothing is written.
    """
    refused = _refused_names(connection, plans, given_up)
    kept = [plan for plan in plans if plan.media_id not in refused]
    owing = [{"row_id": plan.media_id, "target": plan.moved_to} for plan in kept if plan.outputs]
    if owing and connection.execute(_DELIVERING, owing).rowcount != len(owing):
        raise StaleWrite("a file that was to be delivered is not owed its outputs any more")
    outputs = [planned.row(plan.media_id) for plan in kept for planned in plan.outputs]
    if outputs:
        connection.execute(_DROP_NAMES, {"ids": [plan.media_id for plan in kept]})
        outgrown = [path for plan in kept for path in plan.outgrown]
        connection.execute(_PASS_NAMES, {"paths": [*(row["path"] for row in outputs), *outgrown]})
        connection.execute(_RESERVE_NAME, outputs)
    return {plan.media_id for plan in kept}


def _refused_names(connection: Connection, plans: Sequence[Reservation], given_up: Collection[int]) -> set[int]:
    """The media whose plans want a name that is another source's."""
    found = owners(connection, [planned.path for plan in plans for planned in plan.outputs])
    sources = _sources(connection, plans) if found else {}
    return {
        plan.media_id
        for plan in plans
        for planned in plan.outputs
        if (owner := found.get(planned.path)) is not None
        and (owner.inbox, owner.source) != sources.get(plan.media_id)
        and (owner.state == "delivering" or owner.media_id not in given_up)
    }


def _sources(connection: Connection, plans: Sequence[Reservation]) -> dict[int, tuple[str, bytes]]:
    rows = connection.execute(_SOURCES, {"ids": [plan.media_id for plan in plans]})
    return {row.id: (row.inbox, row.path) for row in rows}


def in_failed(connection: Connection, paths: Sequence[bytes], inbox: str, source: bytes) -> dict[bytes, Owner]:
    """The paths that other sources have in failed/, for their error file or themselves."""
    found = {}
    for row in connection.execute(_IN_FAILED, {"paths": list(paths), "of_inbox": inbox, "of_path": source}):
        for path in {row.moved_to, row.error_file}.intersection(paths):
            found[path] = Owner(row.id, row.inbox, row.path, row.sha256, row.state, "", "")
    return found


def reserve_failures(connection: Connection, plans: Sequence[Reservation], given_up: Collection[int] = ()) -> set[int]:
    """The same for files that failed: where the error file and the source go. Returns and raises as `reserve`."""
    sources = _sources(connection, plans)
    kept: set[int] = set()
    for plan in plans:
        paths = [path for path in (plan.moved_to, plan.error_file) if path is not None]
        others = in_failed(connection, paths, *sources.get(plan.media_id, ("", b"")))
        if any(other.state == "failing" or other.media_id not in given_up for other in others.values()):
            continue
        row = {"row_id": plan.media_id, "target": plan.moved_to, "reason_file": plan.error_file}
        if connection.execute(_FAILING, row).rowcount != 1:
            raise StaleWrite("a file that was to be put into failed/ is not failing any more")
        kept.add(plan.media_id)
    return kept


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
        notices.tell_of_files(connection, there, [media_id for media_id, _ in finished], now)


def fail(connection: Connection, media_id: int, failure: Failure) -> bool:
    """A result that cannot be used: the file fails though it was answered."""
    changed = connection.execute(
        update(media)
        .where(media.c.id == media_id, media.c.state.in_(("due", "delivering")))
        .values(state="failing", **failure_values(failure))
    )
    return changed.rowcount == 1


def postpone(connection: Connection, media_ids: Sequence[int], reason: str | None, wait_until: float) -> None:
    """The folder or the disk is in trouble: nothing is charged."""
    still_owed = (media.c.id.in_(media_ids), media.c.state.in_(OWED_MEDIA))
    connection.execute(update(media).where(*still_owed).values(reason=reason, wait_until=wait_until))


def any_open(connection: Connection, inboxes: Sequence[str], but: Collection[int] = ()) -> bool:
    """Whether a file of these inboxes, without those in the batches `but`, is not delivered, failed or withdrawn."""
    query = _OPEN.where(~_IN_BATCHES) if but else _OPEN
    bound = {"of_inboxes": list(inboxes)} | ({"but_batches": list(but)} if but else {})
    return connection.execute(query, bound).first() is not None


def count_failed(connection: Connection, epoch_began: float) -> int:
    """Files that failed since this moment."""
    query = select(func.count()).select_from(media).where(media.c.state == "failed", media.c.finished_at >= epoch_began)
    return connection.execute(query).scalar_one()


def owed_of(row: Row[Any]) -> OwedMedia:
    """A row of `OWED_COLUMNS`."""
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
