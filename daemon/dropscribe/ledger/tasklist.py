"""What the service's task list tells of batches: tasks that came late, or twice, or that the ledger does not know."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.batches import accepted, open_batch
from dropscribe.ledger.intake import BEFORE_SUBMIT
from dropscribe.ledger.schema import batch, batch_item, recognition
from dropscribe.model import Identity

SETTLED = ("submitted", "done", "dropped", "absent")
"""States of a batch whose submit is not in doubt any more, and may have been taken."""


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
    why = "found in the task list; the ledger did not know it"
    batch_id = open_batch(connection, rows, BEFORE_SUBMIT, identity, owner, now, total=len(keys), reason=why)
    accepted(connection, batch_id, task_id, None, now)
    return batch_id


def known_tasks(connection: Connection, task_ids: Sequence[str]) -> set[str]:
    """Which of these tasks the ledger knows."""
    found: set[str] = set()
    for start in range(0, len(task_ids), 500):
        some = task_ids[start : start + 500]
        found.update(connection.execute(select(batch.c.task_id).where(batch.c.task_id.in_(some))).scalars())
    return found


def paid_since(connection: Connection, moment: float) -> list[int]:
    """Batches since then whose fate is known: a second task may have come for them all the same."""
    query = select(batch.c.id).where(batch.c.state.in_(SETTLED), batch.c.intended_at >= moment).order_by(batch.c.id)
    return list(connection.execute(query).scalars())


def ready_since_before(connection: Connection) -> list[tuple[int, str, float]]:
    """(id, key, since when) of everything with a recorded key and no batch: what a forgotten task could be about.

    A ledger that was restored from a backup may hold as `needed` what was uploaded, submitted and paid since.
    """
    since = func.coalesce(recognition.c.ready_at, recognition.c.created_at)
    query = select(recognition.c.id, recognition.c.object_key, since).where(
        recognition.c.state.in_(BEFORE_SUBMIT), recognition.c.object_key.is_not(None)
    )
    return [tuple(row) for row in connection.execute(query)]
