"""What is to be told, to whom, and that it was: the outbox. A notice is written in the transaction of its fact.

The rooms know nothing of it: whoever subscribed is told of the facts that their statements write down. A message is one
or many notices of a kind; which, is written down before it is sent for the first time, so that each try is the same.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from dropscribe.ledger.schema import media, notice, output, recognition, subscription
from dropscribe.model import Scope

DELIVERED, FAILED = "delivered", "failed"
SCOPE_OPENED, SCOPE_CLOSED, FOLDER_ALARM = "scope-opened", "scope-closed", "folder-alarm"
EVENTS = (FAILED, DELIVERED, SCOPE_OPENED, SCOPE_CLOSED, FOLDER_ALARM)
OF_FILES = (FAILED, DELIVERED)

_WANTED = select(subscription.c.sink).where(subscription.c.event == bindparam("of_event")).limit(1)
_TELL_OF_FILES = insert(notice).from_select(
    ["sink", "event", "media_id", "at"],
    select(subscription.c.sink, subscription.c.event, media.c.id, media.c.finished_at)
    .select_from(media.join(subscription, subscription.c.event == bindparam("of_event")))
    .where(media.c.id.in_(bindparam("ids", expanding=True)))
    .where(media.c.state == bindparam("there"), media.c.finished_at == bindparam("now"))
    .order_by(media.c.id),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told. Of a file the columns of its row, of a scope `body`."""

    id: int
    at: float
    inbox: str | None
    path: bytes | None
    moved_to: bytes | None
    error_file: bytes | None
    code: str | None
    message: str | None
    remedy: str | None
    task_id: str | None
    outputs: tuple[bytes, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Notices of one kind that travel together to one sink, and how often that was tried."""

    id: str
    sink: str
    event: str
    tries: int
    notices: tuple[Notice, ...]


def subscribe(connection: Connection, wanted: Mapping[str, Collection[str]]) -> int:
    """Which sink is told of which events from now on; what waits for others is dropped: how much that was."""
    connection.execute(delete(subscription))
    rows = [{"sink": sink, "event": event} for sink, events in wanted.items() for event in events]
    if rows:
        connection.execute(insert(subscription), rows)
    return connection.execute(delete(notice).where(notice.c.sink.not_in(list(wanted)))).rowcount


def tell_of_files(connection: Connection, event: str, media_ids: Sequence[int], now: float) -> None:
    """These files have come to the state called like the event, at this very moment."""
    if connection.execute(_WANTED, {"of_event": event}).first() is None:
        return
    connection.execute(_TELL_OF_FILES, {"of_event": event, "ids": list(media_ids), "there": event, "now": now})


def tell_of_scope(connection: Connection, event: str, scope: Scope, at: float, **more: Any) -> None:
    """A scope opened or closed; a folder's is an alarm of its own."""
    if event == SCOPE_OPENED and scope.name.startswith("folder:"):
        event = FOLDER_ALARM
    sinks = connection.execute(select(subscription.c.sink).where(subscription.c.event == event)).scalars().all()
    said = {"scope": scope.name, "code": scope.code, "message": scope.message, "remedy": scope.remedy}
    body = json.dumps({**said, "since": scope.since, **more}, ensure_ascii=False)
    if sinks:
        connection.execute(insert(notice), [{"sink": sink, "event": event, "body": body, "at": at} for sink in sinks])


def distinct(number: int, at: float) -> str:
    """A notice's number with its moment: a ledger that was restored from a copy gives the same numbers once more, and a
    receiver would take other news for what it has heard.
    """
    return f"{number}_{int(at * 1000):x}"


def next_message(connection: Connection, sink: str, ledger_id: str, now: float, most: int) -> Message | None:
    """What is to be sent to a sink next, oldest first; its id and its notices are durable with this.

    Many files travel in one message; of scopes each change travels alone, because their order counts.
    """
    mine = (notice.c.sink == sink, notice.c.wait_until <= now)
    first = connection.execute(select(notice).where(*mine).order_by(notice.c.id).limit(1)).first()
    if first is None:
        return None
    message = first.message or _compose(connection, first, f"msg_{ledger_id}_{distinct(first.id, first.at)}", most)
    rows = connection.execute(_travelling(message)).all()
    outputs = _outputs(connection, [row.media_id for row in rows if row.media_id is not None])
    notices = tuple(_notice(row, outputs.get(row.media_id, ())) for row in rows)
    return Message(message, sink, first.event, first.tries, notices)


def _compose(connection: Connection, first: Row[Any], message: str, most: int) -> str:
    together = [first.id]
    if first.event in OF_FILES:
        mine = (notice.c.sink == first.sink, notice.c.event == first.event, notice.c.message.is_(None))
        query = select(notice.c.id).where(*mine).order_by(notice.c.id).limit(most)
        together = list(connection.execute(query).scalars())
    connection.execute(update(notice).where(notice.c.id.in_(together)).values(message=message))
    return message


def _travelling(message: str) -> Any:
    columns = (media.c.inbox, media.c.path, media.c.moved_to, media.c.error_file)
    why = (media.c.code, media.c.message.label("said"), media.c.remedy)
    task = func.coalesce(media.c.task_id, recognition.c.task_id).label("task_id")  # a failure notes its own
    return (
        select(notice.c.id, notice.c.at, notice.c.media_id, notice.c.body, *columns, *why, task)
        .outerjoin(media, media.c.id == notice.c.media_id)
        .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
        .where(notice.c.message == message)
        .order_by(notice.c.id)
    )


def _outputs(connection: Connection, media_ids: Sequence[int]) -> dict[int, tuple[bytes, ...]]:
    found: dict[int, tuple[bytes, ...]] = {}
    query = select(output.c.media_id, output.c.path).where(output.c.media_id.in_(media_ids)).order_by(output.c.path)
    for media_id, path in connection.execute(query) if media_ids else ():
        found[media_id] = (*found.get(media_id, ()), path)
    return found


def _notice(row: Row[Any], outputs: tuple[bytes, ...]) -> Notice:
    return Notice(
        id=row.id,
        at=row.at,
        inbox=row.inbox,
        path=row.path,
        moved_to=row.moved_to,
        error_file=row.error_file,
        code=row.code,
        message=row.said,
        remedy=row.remedy,
        task_id=row.task_id,
        outputs=outputs,
        body=json.loads(row.body or "{}"),
    )


def told(connection: Connection, message: str) -> None:
    """The sink has taken the message."""
    connection.execute(delete(notice).where(notice.c.message == message))


def not_told(connection: Connection, message: str, wait_until: float) -> None:
    """It was not taken; before `wait_until` others may go first."""
    mine = notice.c.message == message
    connection.execute(update(notice).where(mine).values(tries=notice.c.tries + 1, wait_until=wait_until))


def next_due(connection: Connection, sink: str) -> float | None:
    """When something is to be sent to a sink next; 0.0: at once, None: nothing waits."""
    return connection.execute(select(func.min(notice.c.wait_until)).where(notice.c.sink == sink)).scalar()


def too_many(connection: Connection, sink: str, before: float, most: int) -> bool:
    """Whether `drop_old` would find something."""
    mine = notice.c.sink == sink
    oldest = connection.execute(select(notice.c.at).where(mine).order_by(notice.c.id).limit(1)).scalar()
    beyond = select(notice.c.id).where(mine).order_by(notice.c.id.desc()).offset(most).limit(1)
    return oldest is not None and (oldest < before or connection.execute(beyond).first() is not None)


def drop_old(connection: Connection, sink: str, before: float, most: int) -> int:
    """Give up what nobody has taken since `before`, and the oldest of more than `most`; return how many."""
    mine = notice.c.sink == sink
    gone = connection.execute(delete(notice).where(mine, notice.c.at < before)).rowcount
    limit = select(notice.c.id).where(mine).order_by(notice.c.id.desc()).offset(most).limit(1)
    last = connection.execute(limit).scalar()
    if last is not None:
        gone += connection.execute(delete(notice).where(mine, notice.c.id <= last)).rowcount
    return gone


def waiting(connection: Connection) -> tuple[int, float | None]:
    """How many notices wait, and since when the oldest does."""
    row = connection.execute(select(func.count(), func.min(notice.c.at))).one()
    return row[0], row[1]
