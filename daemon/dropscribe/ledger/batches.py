"""Batches: the intent before the paid call, its outcome, and what came of each item."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, exists, func, insert, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.intake import BEFORE_SUBMIT, doom_objects, failure_values, look_of
from dropscribe.ledger.rows import Again, BatchRow, Item, ReadyGroup, StaleWrite
from dropscribe.ledger.schema import DEAD_RECOGNITION, batch, batch_item, media, recognition, result
from dropscribe.ledger.uploads import charge, one_more
from dropscribe.model import Failure, Identity, Look

_TOGETHER = (recognition.c.model, recognition.c.settings, recognition.c.size_class, recognition.c.company)
_READY_GROUPS = (
    select(*_TOGETHER, func.count(), func.min(recognition.c.ready_at))
    .where(recognition.c.state == "uploaded", recognition.c.wait_until <= bindparam("now"))
    .group_by(*_TOGETHER)
)
SETTLED = ("submitted", "done", "dropped", "absent")
"""States of a batch whose submit is not in doubt any more, and may have been taken."""
_END_ITEM = (
    update(batch_item)
    .where(
        batch_item.c.batch_id == bindparam("of_batch"),
        batch_item.c.recognition_id == bindparam("of_recognition"),
        batch_item.c.live,
    )
    .values(live=False, verdict=bindparam("said"))
)
_END_SOME = (
    update(batch_item)
    .where(
        batch_item.c.batch_id == bindparam("of_batch"),
        batch_item.c.recognition_id.in_(bindparam("ids", expanding=True)),
        batch_item.c.live,
    )
    .values(live=False, verdict=bindparam("said"))
)
_LIVE_ITEMS = select(batch_item.c.recognition_id).where(
    batch_item.c.batch_id == bindparam("of_batch"),
    batch_item.c.recognition_id.in_(bindparam("ids", expanding=True)),
    batch_item.c.live,
)
_KEEP_RESULT = insert(result)
_ANSWERED = (
    update(recognition)
    .where(recognition.c.id == bindparam("row_id"), recognition.c.state == "submitted")
    .values(state="answered", finished_at=bindparam("now"), owner=None, code=None, message=None, remedy=None)
)
_OWE = (
    update(media).where(media.c.recognition_id == bindparam("owner_id"), media.c.state == "waiting").values(state="due")
)
_INSERT_ITEM = insert(batch_item)
_REBUY = (
    update(recognition)
    .where(
        recognition.c.id == bindparam("row_id"),
        recognition.c.rebuys == 0,
        exists().where(
            batch_item.c.recognition_id == recognition.c.id,
            batch_item.c.batch_id == bindparam("of_batch"),
            batch_item.c.live,
        ),
    )
    .values(rebuys=1)
)


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
    inserted = connection.execute(
        insert(batch).values(
            endpoint=identity.endpoint,
            account=identity.account,
            model=group.model,
            settings=group.settings,
            state="intended",
            owner=owner,
            total=len(rows),
            intended_at=now,
            server_time=server_time,
        )
    )
    batch_id = int(inserted.inserted_primary_key[0])  # type: ignore[index]
    _insert_items(connection, batch_id, rows)
    spending.sent(connection, batch_id, rows, now)
    _move(connection, [row.id for row in rows], ("uploaded",), "submitting")
    return next(iter(_batches(connection, batch.c.id == batch_id)))


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
    """Definitely refused, or never sent: nothing was billed, the objects stay, the recognitions are ready again."""
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
    return True


def refused_alone(connection: Connection, batch_id: int, item: Item, outcome: Failure | Again, now: float) -> bool:
    """A submit of one file was definitely refused for that file: it fails, or waits for another try; in one step."""
    if not not_accepted(connection, batch_id, f"{outcome.code}: {outcome.message}", now, now):
        return False
    if isinstance(outcome, Failure):
        _refuse(connection, item.recognition_id, outcome, now)
    else:
        charge(connection, item.recognition_id, outcome.code, outcome.message, outcome.wait_until)
    return True


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


def dropped(connection: Connection, batch_id: int, failure: Failure, now: float) -> bool:
    """The service lost the task: each recognition is bought again once, then it fails."""
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
            _refuse(connection, row.id, failure, now)
    return True


def paid_twice(connection: Connection, batch_id: int, task_ids: Sequence[str]) -> None:
    """More tasks than one have our keys: a fact for `status`, never hidden."""
    before = connection.execute(select(batch.c.paid_twice).where(batch.c.id == batch_id)).scalar()
    connection.execute(update(batch).where(batch.c.id == batch_id).values(paid_twice=json.dumps(list(task_ids))))
    spending.paid_twice(connection, batch_id, len(set(task_ids).difference(json.loads(before or "[]"))))


def came_late(connection: Connection, keys: Sequence[str], task_id: str, paid: bool) -> int | None:
    """A task appeared with keys of a batch that is settled otherwise: it had been declared absent, or has another task.
    One that recognised something was paid.

    Returns the batch's id, or None where there is no such batch, or where it is known already.
    """
    query = (
        select(batch.c.id, batch.c.paid_twice)
        .join(batch_item, batch_item.c.batch_id == batch.c.id)
        .where(batch.c.state.in_(SETTLED), batch_item.c.object_key.in_(keys))
    )
    row = connection.execute(query.order_by(batch.c.id.desc()).limit(1)).first()
    before: list[str] = [] if row is None else json.loads(row.paid_twice or "[]")
    # Asked here once more: its own batch may have heard of it since the list was compared with the ledger.
    if row is None or task_id in before or known_tasks(connection, [task_id]):
        return None
    if paid:
        paid_twice(connection, row.id, [*before, task_id])
    return int(row.id)


def adopt_unknown(
    connection: Connection, keys: Sequence[str], identity: Identity, task_id: str, owner: int, now: float
) -> int | None:
    """A finished task of ours that the ledger does not know (a restored backup): give it a batch of what is ready.

    Returns the batch's id, or None where nothing of it is waiting any more.
    """
    rows = connection.execute(
        select(recognition).where(recognition.c.object_key.in_(keys), recognition.c.state.in_(BEFORE_SUBMIT))
    ).all()
    if not rows:
        return None
    inserted = connection.execute(
        insert(batch).values(
            endpoint=identity.endpoint,
            account=identity.account,
            model=rows[0].model,
            settings=rows[0].settings,
            state="intended",
            owner=owner,
            total=len(keys),
            intended_at=now,
            reason="found in the task list; the ledger did not know it",
        )
    )
    batch_id = int(inserted.inserted_primary_key[0])  # type: ignore[index]
    _insert_items(connection, batch_id, rows)
    spending.sent(connection, batch_id, rows, now)
    _move(connection, [row.id for row in rows], BEFORE_SUBMIT, "submitting")
    accepted(connection, batch_id, task_id, None, now)
    return batch_id


def open_batches(connection: Connection, *states: str) -> list[BatchRow]:
    """Batches in these states, each with its live items."""
    return _batches(connection, batch.c.state.in_(states))


def paid_since(connection: Connection, moment: float) -> list[int]:
    """Batches since then whose fate is known: a second task may have come for them all the same."""
    query = select(batch.c.id).where(batch.c.state.in_(SETTLED), batch.c.intended_at >= moment).order_by(batch.c.id)
    return list(connection.execute(query).scalars())


def batch_row(connection: Connection, batch_id: int) -> BatchRow | None:
    """One batch, whatever its state, with the items that are still live."""
    return next(iter(_batches(connection, batch.c.id == batch_id)), None)


def known_tasks(connection: Connection, task_ids: Sequence[str]) -> set[str]:
    """Which of these tasks the ledger knows."""
    found: set[str] = set()
    for start in range(0, len(task_ids), 500):
        some = task_ids[start : start + 500]
        found.update(connection.execute(select(batch.c.task_id).where(batch.c.task_id.in_(some))).scalars())
    return found


def ready_since_before(connection: Connection) -> list[tuple[int, str, float]]:
    """(id, key, since when) of everything with a recorded key and no batch: what a forgotten task could be about.

    A ledger that was restored from a backup may hold as `needed` what was uploaded, submitted and paid since.
    """
    since = func.coalesce(recognition.c.ready_at, recognition.c.created_at)
    query = select(recognition.c.id, recognition.c.object_key, since).where(
        recognition.c.state.in_(BEFORE_SUBMIT), recognition.c.object_key.is_not(None)
    )
    return [tuple(row) for row in connection.execute(query)]


def answered(connection: Connection, batch_id: int, bodies: Mapping[int, bytes], now: float) -> set[int]:
    """Results (compressed, by recognition) are safe: subscribers are owed their outputs, the objects have to go.

    Returns the recognitions that this was new for.
    """
    live = set(connection.execute(_LIVE_ITEMS, {"of_batch": batch_id, "ids": list(bodies)}).scalars())
    fresh = [number for number in bodies if number in live]
    if fresh:
        connection.execute(_END_SOME, {"of_batch": batch_id, "ids": fresh, "said": "answered"})
        rows = [{"recognition_id": number, "body": bodies[number], "received_at": now} for number in fresh]
        connection.execute(_KEEP_RESULT, rows)
        connection.execute(_ANSWERED, [{"row_id": number, "now": now} for number in fresh])
        connection.execute(_OWE, [{"owner_id": number} for number in fresh])
        doom_objects(connection, fresh)
    return set(fresh)


def refused(connection: Connection, batch_id: int, recognition_id: int, failure: Failure, now: float) -> bool:
    """A verdict against the file itself: each subscriber fails with its own error file."""
    if not _end_item(connection, batch_id, recognition_id, f"refused: {failure.code}"):
        return False
    _refuse(connection, recognition_id, failure, now)
    return True


def refused_before_submit(connection: Connection, recognition_id: int, failure: Failure, now: float) -> None:
    """A fault of the file that was found while it was uploaded."""
    _refuse(connection, recognition_id, failure, now)


def again(connection: Connection, batch_id: int, recognition_id: int, more: Again) -> bool:
    """The item is to be sent again: its object stays, or goes first where it is to be uploaded anew."""
    if not _end_item(connection, batch_id, recognition_id, f"again: {more.code}"):
        return False
    tries = connection.execute(select(recognition.c.tries).where(recognition.c.id == recognition_id)).scalar_one()
    values: dict[str, Any] = {"state": "uploaded", "wait_until": more.wait_until, "code": more.code}
    values["message"] = more.message
    if more.charged:
        values |= {"attempts": recognition.c.attempts + 1, "tries": one_more(tries, more.code)}
    if more.company:
        values["company"] = more.company
    # What must wait for the limits waits without its object: nobody's recording stays in the bucket for it.
    if more.reupload or not spending.reserve_again(connection, recognition_id):
        values |= {"state": "needed", "object_key": None, "ready_at": None}
        doom_objects(connection, [recognition_id])
    connection.execute(update(recognition).where(recognition.c.id == recognition_id).values(**values))
    return True


def close_if_judged(connection: Connection, batch_id: int, billed_seconds: float | None, now: float) -> bool:
    """A batch without live items is done."""
    live = exists().where(batch_item.c.batch_id == batch.c.id, batch_item.c.live)
    changed = connection.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state == "submitted", ~live)
        .values(state="done", closed_at=now, billed_seconds=billed_seconds)
    )
    if changed.rowcount == 1 and billed_seconds is not None:
        spending.settle(connection, batch_id, billed_seconds, now)
    return changed.rowcount == 1


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
    query = (
        select(batch_item.c.batch_id, batch_item.c.object_key, recognition)
        .join(recognition, recognition.c.id == batch_item.c.recognition_id)
        .where(batch_item.c.batch_id.in_(list(items)), batch_item.c.live)
        .order_by(batch_item.c.batch_id, batch_item.c.position)
    )
    for row in connection.execute(query):
        item = Item(row.id, row[1], row.attempts, json.loads(row.tries), row.rebuys)
        items[row.batch_id].append(item)
    return [_batch_row(row, items[row.id]) for row in rows]


def _batch_row(row: Row[Any], items: Sequence[Item]) -> BatchRow:
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
    )


def _live_ids(connection: Connection, batch_id: int) -> list[int]:
    query = select(batch_item.c.recognition_id).where(batch_item.c.batch_id == batch_id, batch_item.c.live)
    return list(connection.execute(query).scalars())


def _end_items(connection: Connection, batch_id: int, verdict: str) -> list[int]:
    ids = _live_ids(connection, batch_id)
    mine = (batch_item.c.batch_id == batch_id, batch_item.c.live)
    connection.execute(update(batch_item).where(*mine).values(live=False, verdict=verdict))
    return ids


def _end_item(connection: Connection, batch_id: int, recognition_id: int, verdict: str) -> bool:
    values = {"of_batch": batch_id, "of_recognition": recognition_id, "said": verdict}
    return connection.execute(_END_ITEM, values).rowcount == 1


def _begin_again(connection: Connection, ids: Sequence[int], now: float) -> None:
    doom_objects(connection, ids)
    connection.execute(
        update(recognition)
        .where(recognition.c.id.in_(ids))
        .values(state="needed", object_key=None, ready_at=None, wait_until=now, task_id=None)
    )


def _refuse(connection: Connection, recognition_id: int, failure: Failure, now: float) -> None:
    live = (recognition.c.id == recognition_id, recognition.c.state.not_in((*DEAD_RECOGNITION, "answered")))
    changed = connection.execute(
        update(recognition).where(*live).values(state="refused", finished_at=now, owner=None, **failure_values(failure))
    )
    if changed.rowcount != 1:
        return
    spending.release(connection, recognition_id)
    doom_objects(connection, [recognition_id])
    connection.execute(
        update(media)
        .where(media.c.recognition_id == recognition_id, media.c.state == "waiting")
        .values(state="failing", **failure_values(failure))
    )


def acquit(connection: Connection, recognition_ids: Sequence[int], code: str) -> None:
    """Failures that turned out to be the account's or the service's: the tries they cost are given back."""
    rows = connection.execute(
        select(recognition.c.id, recognition.c.tries, recognition.c.attempts).where(
            recognition.c.id.in_(recognition_ids), recognition.c.state.in_(("needed", "uploading", "uploaded"))
        )
    ).all()
    for row in rows:
        tries: dict[str, int] = json.loads(row.tries)
        spent = tries.pop(code, 0)
        values = {"tries": json.dumps(tries), "attempts": max(0, row.attempts - spent)}
        connection.execute(update(recognition).where(recognition.c.id == row.id).values(**values))


def buy_again(connection: Connection, batch_id: int, recognition_id: int, code: str, message: str) -> bool:
    """A paid result that was deleted before it was fetched: the one re-buy of a recognition; False where it had it."""
    changed = connection.execute(_REBUY, {"row_id": recognition_id, "of_batch": batch_id})
    if changed.rowcount == 1:
        again(connection, batch_id, recognition_id, Again(code, message, 0.0, charged=False))
    return changed.rowcount == 1
