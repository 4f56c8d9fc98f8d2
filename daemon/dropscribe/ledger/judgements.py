"""What came of each file of a batch: its result, its refusal, or another try."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.intake import abandon_unwanted, doom_objects, failure_values
from dropscribe.ledger.rows import Again
from dropscribe.ledger.schema import DEAD_RECOGNITION, batch, batch_item, media, recognition, result, stored_object
from dropscribe.ledger.uploads import one_more
from dropscribe.model import Failure

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


def subscribers(connection: Connection, recognition_id: int) -> list[tuple[str, bytes]]:
    """(inbox, path within it) of the files that wait for a recognition, the first to ask for it first."""
    query = select(media.c.inbox, media.c.path).where(
        media.c.recognition_id == recognition_id, media.c.state == "waiting"
    )
    return [tuple(row) for row in connection.execute(query.order_by(media.c.id))]


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
    refuse(connection, recognition_id, failure, now)
    return True


def refused_before_submit(connection: Connection, recognition_id: int, failure: Failure, now: float) -> None:
    """A fault of the file that was found while it was uploaded."""
    refuse(connection, recognition_id, failure, now)


def again(connection: Connection, batch_id: int, recognition_id: int, more: Again) -> bool:
    """The item is to be sent again: its object stays, or goes first where it is to be uploaded anew.

    One whose object we had taken away ourselves is not charged. One that nobody waits for any more is given up.
    """
    if not _end_item(connection, batch_id, recognition_id, f"again: {more.code}"):
        return False
    tries = connection.execute(select(recognition.c.tries).where(recognition.c.id == recognition_id)).scalar_one()
    values: dict[str, Any] = {"state": "uploaded", "wait_until": more.wait_until, "code": more.code}
    values["message"] = more.message
    stands = _object_stands(connection, recognition_id)
    if more.charged and stands:
        values |= {"attempts": recognition.c.attempts + 1, "tries": one_more(tries, more.code)}
    if more.company:
        values["company"] = more.company
    # What must wait for the limits waits without its object: nobody's recording stays in the bucket for it.
    if more.reupload or not stands or not spending.reserve_again(connection, recognition_id):
        values |= {"state": "needed", "object_key": None, "ready_at": None}
        doom_objects(connection, [recognition_id])
    connection.execute(update(recognition).where(recognition.c.id == recognition_id).values(**values))
    abandon_unwanted(connection, recognition_id, more.wait_until)
    return True


def _object_stands(connection: Connection, recognition_id: int) -> bool:
    """Not where it was taken while the fate of its submit was open."""
    mine = (stored_object.c.recognition_id == recognition_id, ~stored_object.c.doomed)
    return connection.execute(select(stored_object.c.key).where(*mine).limit(1)).first() is not None


def with_object(connection: Connection, recognition_ids: Sequence[int]) -> set[int]:
    """Which of these have an object in the bucket that nobody has taken away."""
    return {each for each in recognition_ids if _object_stands(connection, each)}


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


def refuse(connection: Connection, recognition_id: int, failure: Failure, now: float) -> None:
    """A recognition is refused for good, unless it is answered: whoever waits for it fails."""
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


def _end_item(connection: Connection, batch_id: int, recognition_id: int, verdict: str) -> bool:
    values = {"of_batch": batch_id, "of_recognition": recognition_id, "said": verdict}
    return connection.execute(_END_ITEM, values).rowcount == 1
