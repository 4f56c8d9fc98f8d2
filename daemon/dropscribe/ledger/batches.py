"""Batches as a whole: the intent before the paid call, and what became of the call."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.intake import WANTED, abandon_unwanted, doom_objects, look_of
from dropscribe.ledger.judgements import refuse
from dropscribe.ledger.rows import Again, BatchRow, Item, ReadyGroup, StaleWrite
from dropscribe.ledger.schema import batch, batch_item, media, recognition, stored_object
from dropscribe.ledger.uploads import charge
from dropscribe.model import Failure, Identity, Look

_TOGETHER = (recognition.c.model, recognition.c.settings, recognition.c.size_class, recognition.c.company)
_READY_GROUPS = (
    select(*_TOGETHER, func.count(), func.min(recognition.c.ready_at))
    .where(recognition.c.state == "uploaded", recognition.c.wait_until <= bindparam("now"))
    .group_by(*_TOGETHER)
)
_INSERT_ITEM = insert(batch_item)


def ready_groups(connection: Connection, now: float) -> list[ReadyGroup]:
    """What is ready for a batch, by what may travel together."""
    return [ReadyGroup(*row) for row in connection.execute(_READY_GROUPS, {"now": now})]


def sources_of_ready(
    connection: Connection, group: ReadyGroup, limit: int, now: float
) -> list[tuple[int, str, bytes, Look]]:
    """(media id, inbox, path, look) of every file that waits on the recognitions that would leave next."""
    ids = _ready(group, now, ()).with_only_columns(recognition.c.id).limit(limit).scalar_subquery()
    rows = connection.execute(select(media).where(media.c.recognition_id.in_(ids)))
    # The state is compared here: SQLite would go through all that wait in a backlog.
    return [(row.id, row.inbox, row.path, look_of(row)) for row in rows if row.state == "waiting"]


def intend(
    connection: Connection,
    group: ReadyGroup,
    limit: int,
    identity: Identity,
    owner: int,
    now: float,
    server_time: float | None,
    withheld: Collection[int] = (),
) -> BatchRow | None:
    """Write down the intent to pay for up to `limit` recognitions of a group; None if none is ready any more.

    Raises:
        StaleWrite: one of them moved meanwhile; nothing is written.
        sqlalchemy.exc.IntegrityError: the database refuses a second open payment; nothing is written.
    """
    rows = connection.execute(_ready(group, now, withheld).limit(limit)).all()
    if not rows:
        return None
    batch_id = open_batch(connection, rows, ("uploaded",), identity, owner, now, server_time=server_time)
    return next(iter(_batches(connection, batch.c.id == batch_id)))


def open_batch(
    connection: Connection,
    rows: Sequence[Row[Any]],
    here: Sequence[str],
    identity: Identity,
    owner: int,
    now: float,
    **more: Any,
) -> int:
    """A batch of these recognitions (whole rows, in the states `here`, of one model with its settings), intended now;
    `more` are further columns. Returns its id; raises as `intend`.
    """
    values: dict[str, Any] = {
        "endpoint": identity.endpoint,
        "account": identity.account,
        "model": rows[0].model,
        "settings": rows[0].settings,
        "state": "intended",
        "owner": owner,
        "total": len(rows),
        "intended_at": now,
        **more,
    }
    inserted = connection.execute(insert(batch).values(**values))
    batch_id = int(inserted.inserted_primary_key[0])  # type: ignore[index]
    _insert_items(connection, batch_id, rows)
    spending.sent(connection, batch_id, rows, now)
    _move(connection, [row.id for row in rows], here, "submitting")
    return batch_id


def accepted(connection: Connection, batch_id: int, task_id: str, request_id: str | None, now: float) -> bool:
    """The service has a task for this batch (told by its answer, or found in the task list)."""
    changed = connection.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state.in_(("intended", "lost")))
        .values(state="submitted", task_id=task_id, request_id=request_id, submitted_at=now)
    )
    if changed.rowcount == 1:
        ids = _live_ids(connection, batch_id)
        connection.execute(
            update(recognition)
            .where(recognition.c.id.in_(ids), recognition.c.state == "submitting")
            .values(state="submitted", task_id=task_id)
        )
    return changed.rowcount == 1


def lost(connection: Connection, batch_id: int, reason: str) -> bool:
    """The answer to the submit was lost: the task list decides."""
    changed = connection.execute(
        update(batch).where(batch.c.id == batch_id, batch.c.state == "intended").values(state="lost", reason=reason)
    )
    return changed.rowcount == 1


def not_accepted(connection: Connection, batch_id: int, reason: str, now: float, wait_until: float) -> bool:
    """Definitely refused, or never sent: nothing was billed, the objects stay, the recognitions are ready again (those
    that nobody waits for any more are given up).
    """
    changed = connection.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state == "intended")
        .values(state="refused", reason=reason, closed_at=now)
    )
    if changed.rowcount != 1:
        return False
    ids = _end_items(connection, batch_id, "not accepted")
    spending.taken_back(connection, batch_id)
    mine = (recognition.c.id.in_(ids), recognition.c.state == "submitting")
    connection.execute(update(recognition).where(*mine).values(state="uploaded", wait_until=wait_until))
    _abandon_unwanted(connection, ids, now)
    return True


def refused_alone(connection: Connection, batch_id: int, item: Item, outcome: Failure | Again, now: float) -> bool:
    """A submit of one file was definitely refused for that file: it fails, or waits for another try; in one step."""
    if not not_accepted(connection, batch_id, f"{outcome.code}: {outcome.message}", now, now):
        return False
    if isinstance(outcome, Failure):
        refuse(connection, item.recognition_id, outcome, now)
    else:
        charge(connection, item.recognition_id, outcome.code, outcome.message, outcome.wait_until)
    return True


def with_objects(connection: Connection, batch_ids: Sequence[int]) -> dict[int, bool]:
    """Which of these batches have objects in the bucket, as far as is known, and whether these have to go."""
    query = (
        select(batch_item.c.batch_id, stored_object.c.doomed)
        .join(stored_object, stored_object.c.key == batch_item.c.object_key)
        .where(batch_item.c.batch_id.in_(batch_ids))
    )
    return {row.batch_id: row.doomed for row in connection.execute(query)}


def take_objects(connection: Connection, batch_id: int) -> None:
    """The objects of a lost batch have to go, though its fate is open."""
    if connection.execute(select(batch.c.id).where(batch.c.id == batch_id, batch.c.state == "lost")).first():
        doom_objects(connection, _live_ids(connection, batch_id))


def never_arrived(connection: Connection, batch_id: int, reason: str, now: float) -> bool:
    """A complete list after the grace shows no task: the recognitions get new keys, and the old objects go first."""
    changed = connection.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state == "lost")
        .values(state="absent", reason=reason, closed_at=now)
    )
    if changed.rowcount == 1:
        spending.taken_back(connection, batch_id)
        _begin_again(connection, _end_items(connection, batch_id, "never arrived"), now)
    return changed.rowcount == 1


def is_wanted(connection: Connection, batch_id: int) -> bool:
    """Whether a file waits for any of a batch's recognitions; where people gave all of them up, none does."""
    mine = (batch_item.c.batch_id == batch_id, batch_item.c.live)
    query = select(recognition.c.id).join(batch_item, batch_item.c.recognition_id == recognition.c.id)
    return connection.execute(query.where(*mine, WANTED).limit(1)).first() is not None


def any_unwanted(connection: Connection, but: Collection[int]) -> bool:
    """Whether something is at the service that nobody waits for, in other batches than these: its object is to go."""
    query = select(batch.c.id).join(batch_item, batch_item.c.batch_id == batch.c.id)
    query = query.join(recognition, recognition.c.id == batch_item.c.recognition_id)
    mine = (batch.c.state.in_(("intended", "lost", "submitted")), batch_item.c.live, ~WANTED)
    return connection.execute(query.where(*mine, batch.c.id.not_in(but)).limit(1)).first() is not None


def dropped_unwanted(connection: Connection, batch_id: int, failure: Failure, now: float) -> bool:
    """`dropped` for a batch of which nobody can learn what became of it; not while a file waits for it."""
    return not is_wanted(connection, batch_id) and dropped(connection, batch_id, failure, now)


def dropped(connection: Connection, batch_id: int, failure: Failure, now: float) -> bool:
    """The service lost the task: each recognition that is waited for is bought again once, then it fails."""
    changed = connection.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state.in_(("lost", "submitted")))
        .values(state="dropped", reason=failure.message, closed_at=now)
    )
    if changed.rowcount != 1:
        return False
    ids = _end_items(connection, batch_id, "dropped by the service")
    spending.settle_unsaid(connection, batch_id, None, now)
    rows = connection.execute(select(recognition.c.id, recognition.c.rebuys).where(recognition.c.id.in_(ids))).all()
    again = [row.id for row in rows if row.rebuys == 0]
    connection.execute(update(recognition).where(recognition.c.id.in_(again)).values(rebuys=recognition.c.rebuys + 1))
    _begin_again(connection, again, now)
    for row in rows:
        if row.rebuys:
            refuse(connection, row.id, failure, now)
    return True


def open_batches(connection: Connection, *states: str) -> list[BatchRow]:
    """Batches in these states, each with its live items."""
    return _batches(connection, batch.c.state.in_(states))


def batch_row(connection: Connection, batch_id: int) -> BatchRow | None:
    """One batch, whatever its state, with the items that are still live."""
    return next(iter(_batches(connection, batch.c.id == batch_id)), None)


def _ready(group: ReadyGroup, now: float, withheld: Collection[int]) -> Any:
    query = (
        select(recognition)
        .where(recognition.c.state == "uploaded", recognition.c.wait_until <= now)
        .where(recognition.c.model == group.model, recognition.c.settings == group.settings)
        .where(recognition.c.size_class == group.size_class, recognition.c.company == group.company)
    )
    if withheld:
        query = query.where(recognition.c.id.not_in(list(withheld)))
    return query.order_by(recognition.c.attempts, recognition.c.id)  # one that failed does not take the others' turns


def _insert_items(connection: Connection, batch_id: int, rows: Sequence[Row[Any]]) -> None:
    """Recognitions (whole rows) are a batch's items, in this order."""
    items = [
        {
            "batch_id": batch_id,
            "recognition_id": row.id,
            "position": n,
            "object_key": row.object_key,
            "live": True,
        }
        for n, row in enumerate(rows)
    ]
    connection.execute(_INSERT_ITEM, items)


def _move(connection: Connection, ids: Sequence[int], here: Sequence[str], there: str) -> None:
    """Bring recognitions from one of the states `here` to `there`. Raises StaleWrite where one is elsewhere."""
    moved = connection.execute(
        update(recognition).where(recognition.c.id.in_(ids), recognition.c.state.in_(here)).values(state=there)
    )
    if moved.rowcount != len(ids):
        raise StaleWrite(
            f"{len(ids) - moved.rowcount} of {len(ids)} recognitions were not {' or '.join(here)} any more"
        )


def _batches(connection: Connection, condition: ColumnElement[bool]) -> list[BatchRow]:
    rows = connection.execute(select(batch).where(condition).order_by(batch.c.id)).all()
    items: dict[int, list[Item]] = {row.id: [] for row in rows}
    keys: dict[int, list[str]] = {row.id: [] for row in rows}
    query = (
        select(batch_item.c.batch_id, batch_item.c.object_key, batch_item.c.live, recognition)
        .join(recognition, recognition.c.id == batch_item.c.recognition_id)
        .where(batch_item.c.batch_id.in_(list(items)))
        .order_by(batch_item.c.batch_id, batch_item.c.position)
    )
    for row in connection.execute(query):
        keys[row.batch_id].append(row[1])
        if row.live:
            items[row.batch_id].append(Item(row.id, row[1], row.attempts, json.loads(row.tries), row.rebuys))
    return [_batch_row(row, items[row.id], keys[row.id]) for row in rows]


def _batch_row(row: Row[Any], items: Sequence[Item], keys: Sequence[str]) -> BatchRow:
    return BatchRow(
        id=row.id,
        endpoint=row.endpoint,
        account=row.account,
        model=row.model,
        settings=row.settings,
        state=row.state,
        total=row.total,
        task_id=row.task_id,
        intended_at=row.intended_at,
        server_time=row.server_time,
        submitted_at=row.submitted_at,
        items=tuple(items),
        keys=(*keys, *[""] * (row.total - len(keys))),
    )


def _live_ids(connection: Connection, batch_id: int) -> list[int]:
    query = select(batch_item.c.recognition_id).where(batch_item.c.batch_id == batch_id, batch_item.c.live)
    return list(connection.execute(query).scalars())


def _end_items(connection: Connection, batch_id: int, verdict: str) -> list[int]:
    ids = _live_ids(connection, batch_id)
    mine = (batch_item.c.batch_id == batch_id, batch_item.c.live)
    connection.execute(update(batch_item).where(*mine).values(live=False, verdict=verdict))
    return ids


def _begin_again(connection: Connection, ids: Sequence[int], now: float) -> None:
    doom_objects(connection, ids)
    connection.execute(
        update(recognition)
        .where(recognition.c.id.in_(ids))
        .values(state="needed", object_key=None, ready_at=None, wait_until=now, task_id=None)
    )
    _abandon_unwanted(connection, ids, now)


def _abandon_unwanted(connection: Connection, ids: Sequence[int], now: float) -> None:
    """While they travelled, people may have given up the files that waited for them: nothing is bought for nobody."""
    for recognition_id in ids:
        abandon_unwanted(connection, recognition_id, now)
