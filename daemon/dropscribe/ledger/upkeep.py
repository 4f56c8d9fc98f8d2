"""What belongs to no single room: the ledger's own identity, claims of the dead, scopes, lessons, old results."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from dropscribe.ledger import notices
from dropscribe.ledger.intake import abandon_unwanted
from dropscribe.ledger.rows import Doomed
from dropscribe.ledger.schema import (
    OWED_MEDIA,
    batch,
    folder,
    lesson,
    media,
    meta,
    recognition,
    result,
    scope,
    stored_object,
)
from dropscribe.model import Scope

FORGET_AT_ONCE = 500
WORKS, RESTARTED = "works again", "restarted; whether it works is not known yet"
"""Why a scope is not open any more."""


def ledger_id(connection: Connection, proposal: str) -> str:
    """The random name of this ledger, under which all its objects stand in the bucket; written once."""
    found = read_meta(connection, "ledger_id")
    if found is None:
        write_meta(connection, "ledger_id", proposal)
        return proposal
    return found


def begin_epoch(connection: Connection) -> int:
    """Number this process; whatever an earlier one had claimed is free, whatever it may have sent is in doubt."""
    epoch = int(read_meta(connection, "epoch") or 0) + 1
    write_meta(connection, "epoch", str(epoch))
    write_meta(connection, "started_at", repr(time.time()))
    claimed = connection.execute(select(recognition.c.id).where(recognition.c.state == "uploading")).scalars().all()
    connection.execute(update(recognition).where(recognition.c.id.in_(claimed)).values(state="needed", owner=None))
    for recognition_id in claimed:
        abandon_unwanted(connection, recognition_id, time.time())
    connection.execute(update(batch).where(batch.c.state == "intended").values(state="lost", owner=None))
    for name in connection.execute(select(scope.c.name)).scalars().all():
        close_scope(connection, name, RESTARTED)
    probe_ended(connection)
    return epoch


def read_meta(connection: Connection, name: str) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def write_meta(connection: Connection, name: str, value: str) -> None:
    changed = connection.execute(update(meta).where(meta.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(meta).values(name=name, value=value))


_INBOX = "inbox "


def remember_inbox(connection: Connection, name: str, root: bytes) -> None:
    """Where an inbox lies: its files are asked for by their paths also when it is not configured any more."""
    write_meta(connection, _INBOX + name, quote_from_bytes(root))


def inbox_roots(connection: Connection) -> dict[str, bytes]:
    """By name, where each inbox lay that there ever was."""
    query = select(meta.c.name, meta.c.value).where(meta.c.name.startswith(_INBOX))
    return {row[0].removeprefix(_INBOX): unquote_to_bytes(row[1]) for row in connection.execute(query)}


def open_scope(connection: Connection, found: Scope) -> None:
    """Keep `since` of a scope that was open already."""
    values = {
        "code": found.code,
        "message": found.message,
        "remedy": found.remedy,
        "retry_at": found.retry_at,
    }
    before = connection.execute(select(scope.c.code).where(scope.c.name == found.name)).scalar()
    if before is None:
        connection.execute(insert(scope).values(name=found.name, since=found.since, **values))
    else:
        connection.execute(update(scope).where(scope.c.name == found.name).values(**values))
    if before != found.code:
        at = found.since if before is None else time.time()
        notices.tell_of_scope(connection, notices.SCOPE_OPENED, found, at)


def close_scope(connection: Connection, name: str, how: str = WORKS) -> None:
    """It is in order, or an earlier process's (`how`): its end is told where its beginning was."""
    row = connection.execute(select(scope).where(scope.c.name == name)).first()
    connection.execute(delete(scope).where(scope.c.name == name))
    if row is not None:
        found = Scope(row.name, row.code, row.message, row.remedy, row.since, row.retry_at)
        notices.tell_of_scope(connection, notices.SCOPE_CLOSED, found, time.time(), how=how)


def learn(connection: Connection, name: str, value: str, until: float) -> None:
    """Remember something about an account that holds for a while (one URL per task)."""
    connection.execute(delete(lesson).where(lesson.c.name == name))
    connection.execute(insert(lesson).values(name=name, value=value, until=until))


def lessons(connection: Connection, now: float) -> dict[str, float]:
    """Until when each lesson holds that holds now."""
    rows = connection.execute(select(lesson.c.name, lesson.c.until).where(lesson.c.until > now))
    return {row.name: row.until for row in rows}


def folder_mark(connection: Connection, path: bytes) -> str | None:
    """On which file system a folder lay when it was seen last (see `folders`); None for one never seen."""
    return connection.execute(select(folder.c.mark).where(folder.c.path == path)).scalar()


def remember_folder(connection: Connection, path: bytes, mark: str, now: float) -> None:
    changed = connection.execute(update(folder).where(folder.c.path == path).values(mark=mark))
    if changed.rowcount == 0:
        connection.execute(insert(folder).values(path=path, mark=mark, first_seen=now))


def wait_no_longer(connection: Connection, now: float, latest: float) -> int:
    """Moments after `latest`, until which files wait, were told by a clock that was wrong: they are due. What became
    ready after `now` did so now. Return how many there were.
    """
    found = 0
    for table, states in ((recognition, ("needed", "uploaded")), (media, OWED_MEDIA)):
        waiting = update(table).where(table.c.state.in_(states), table.c.wait_until > latest)
        found += connection.execute(waiting.values(wait_until=0.0)).rowcount
    ready = update(recognition).where(recognition.c.state == "uploaded", recognition.c.ready_at > now)
    return found + connection.execute(ready.values(ready_at=now)).rowcount


def doomed_objects(connection: Connection, limit: int, skip: Iterable[str] = ()) -> list[Doomed]:
    """Objects and unfinished uploads that have to go."""
    columns = (stored_object.c.key, stored_object.c.multipart, stored_object.c.upload_id)
    query = select(*columns).where(stored_object.c.doomed, stored_object.c.key.not_in(list(skip))).limit(limit)
    return [Doomed(*row) for row in connection.execute(query)]


def probe_begins(connection: Connection, key: str, now: float) -> None:
    """Record the key of a probe's object before its first use."""
    connection.execute(insert(stored_object).values(key=key, multipart=False, created_at=now))


def probe_ended(connection: Connection) -> None:
    """Every probe's object has to go."""
    connection.execute(update(stored_object).where(stored_object.c.recognition_id.is_(None)).values(doomed=True))


def objects_gone(connection: Connection, keys: Sequence[str]) -> None:
    connection.execute(delete(stored_object).where(stored_object.c.key.in_(keys), stored_object.c.doomed))


def forget_results(connection: Connection, before: float) -> int:
    """Drop raw results that nobody is owed any more and that were received before `before`; return how many."""
    owed = exists().where(media.c.recognition_id == result.c.recognition_id, media.c.state.in_(("due", "delivering")))
    query = select(result.c.recognition_id).where(result.c.received_at < before, ~owed).limit(FORGET_AT_ONCE)
    ids = list(connection.execute(query).scalars())
    connection.execute(delete(result).where(result.c.recognition_id.in_(ids)))
    connection.execute(update(recognition).where(recognition.c.id.in_(ids)).values(state="forgotten"))
    return len(ids)


@dataclass(frozen=True, slots=True)
class Standing:
    """What changes whenever anything goes on. `out`: something is being sent, or out at the service."""

    counts: object
    out: bool
    tries: int | None = None
    """Counted only where nothing else has changed, since that goes through all that waits."""

    def moves(self, before: "Standing | None") -> bool:
        """Whether anything went on since `before`, or does now."""
        return self.out or before is None or (self.counts, self.tries) != (before.counts, before.tries)


def standing(connection: Connection, before: Standing | None = None) -> Standing:
    """How things stand now, to be compared with how they stood `before`."""
    counts: list[object] = []
    for table in (media, recognition, batch):
        states = select(table.c.state, func.count()).group_by(table.c.state).order_by(table.c.state)
        counts.append(tuple(tuple(row) for row in connection.execute(states)))
    counts.append(connection.execute(select(func.count()).select_from(stored_object)).scalar())
    sent = recognition.c.state.in_(("uploading", "submitting", "submitted"))
    out = connection.execute(select(recognition.c.id).where(sent).limit(1)).first() is not None
    found = Standing(tuple(counts), out)
    if out or before is None or found.counts != before.counts:
        return found
    return replace(found, tries=connection.execute(select(func.sum(recognition.c.attempts))).scalar())
