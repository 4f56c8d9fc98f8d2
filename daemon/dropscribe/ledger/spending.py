"""What may be spent, what is reserved and what was: seconds of billed sound, fail closed.

    needed -> reserved, or held where it does not fit -> (claim, upload, intent) -> of a batch -> spent

A reservation is one payment that may still come. It is written in the transaction of the claim, so no upload begins
without one, and a process that dies counts nothing twice: what was reserved stays reserved. It goes back where nothing
can have been billed, and becomes `spent` with its batch. Open ones count in every window, spent ones in that of their
end. Spent seconds are kept in quarters of an hour: windows of any time zone are sums of few rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, func, insert, select, update

from dropscribe.allowance import Balance, Limit, after, obstacle
from dropscribe.estimates import billable, guess
from dropscribe.ledger.schema import allowance, batch, batch_item, media, recognition, reservation, result, spent
from dropscribe.model import Look

QUARTER = 900.0
FREED_AT_ONCE = 500
PAGE = 64
"""Recognitions that are looked at in one claim, at least."""

_PROMISED = exists().where(reservation.c.recognition_id == recognition.c.id, reservation.c.batch_id.is_(None))
RESERVED = and_(
    reservation.c.recognition_id == recognition.c.id,
    reservation.c.batch_id.is_(None),
    reservation.c.state == "reserved",
)
"""For a claim, which joins by it: the payment of this recognition is reserved."""
HELD = exists().where(reservation.c.recognition_id == recognition.c.id, reservation.c.state == "held")
"""For a claim: it has to wait for the limits."""
_NEW = (
    select(recognition.c.id, recognition.c.size, recognition.c.suffix, recognition.c.settings)
    .where(recognition.c.state == "needed", recognition.c.wait_until <= bindparam("now"), ~_PROMISED)
    .order_by(recognition.c.id)
    .limit(bindparam("most"))
)
ELSEWHERE = exists().where(
    media.c.recognition_id == recognition.c.id,
    media.c.state == "waiting",
    media.c.inbox.not_in(bindparam("shut", expanding=True)),
)
"""For a claim: one of its files lies in an inbox that is in order."""
_NEW_SOURCES = (
    select(recognition.c.id, recognition.c.settings, media.c.inbox, media.c.path, media.c.size, media.c.mtime_ns)
    .add_columns(media.c.inode)
    .join(media, media.c.recognition_id == recognition.c.id)
    .where(recognition.c.id.in_(bindparam("ids", expanding=True)), media.c.state == "waiting")
    .order_by(recognition.c.id, media.c.id)
)
_NEW_ELSEWHERE = _NEW.where(ELSEWHERE)
_RESERVE = insert(reservation)
_OPEN = select(func.coalesce(func.sum(reservation.c.seconds), 0.0)).where(reservation.c.state == "reserved")
_SPENT = select(func.coalesce(func.sum(spent.c.billed + spent.c.guessed), 0.0)).where(
    spent.c.quarter >= bindparam("first")
)
_RELEASE = delete(reservation).where(
    reservation.c.recognition_id == bindparam("of_recognition"), reservation.c.batch_id.is_(None)
)
_SEND = (
    update(reservation)
    .where(reservation.c.recognition_id == bindparam("of_recognition"), reservation.c.batch_id.is_(None))
    .values(batch_id=bindparam("of_batch"), state="reserved")
)
_OF_BATCH = select(func.coalesce(func.sum(reservation.c.seconds), 0.0), func.count()).where(
    reservation.c.batch_id == bindparam("of_batch")
)
_OVER = delete(reservation).where(reservation.c.batch_id == bindparam("of_batch"))
_ADD = (
    update(spent)
    .where(spent.c.quarter == bindparam("in_quarter"))
    .values(billed=spent.c.billed + bindparam("more"), guessed=spent.c.guessed + bindparam("more_guessed"))
)
_FITTING = (
    select(reservation.c.id, reservation.c.seconds)
    .where(reservation.c.state == "held", reservation.c.batch_id.is_(None), reservation.c.seconds <= bindparam("left"))
    .order_by(reservation.c.recognition_id)
    .limit(bindparam("most"))
)
_FREE = (
    update(reservation)
    .where(reservation.c.id == bindparam("row_id"), reservation.c.state == "held")
    .values(state="reserved")
)


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A recognition without a reservation, and one file of its content."""

    recognition_id: int
    settings: str
    inbox: str
    path: bytes
    look: Look


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds from a moment on: billed, taken for billed where the service did not say, and reserved."""

    billed: float
    guessed: float
    reserved: float
    held: float
    held_files: int


@dataclass(frozen=True, slots=True)
class Held:
    """Payments that wait: those that fit into a fresh window (`since` when), and those that fit into none."""

    files: int
    since: float | None
    longer_files: int
    longer_reason: str | None


def set_limits(connection: Connection, limits: Sequence[Limit]) -> None:
    """The limits that hold from now on; where none is given, nothing is limited."""
    connection.execute(delete(allowance))
    if limits:
        rows = [{"name": limit.name, "seconds": limit.seconds, "since": limit.since} for limit in limits]
        connection.execute(insert(allowance), rows)


def balances(connection: Connection) -> tuple[Balance, ...]:
    """Each limit and what is spent or reserved of it."""
    limits = [Limit(row.name, row.seconds, row.since) for row in connection.execute(select(allowance))]
    if not limits:
        return ()
    open_now = connection.execute(_OPEN).scalar_one()
    return tuple(Balance(limit, open_now + spent_since(connection, limit.since)) for limit in limits)


def spent_since(connection: Connection, since: float) -> float:
    """All that was spent from a moment on."""
    return float(connection.execute(_SPENT, {"first": int(since // QUARTER)}).scalar_one())


def unmeasured(connection: Connection, now: float, most: int, shut: Collection[str] = ()) -> list[Unmeasured]:
    """The recognitions that would be reserved for next, with a file to measure each."""
    ids = [row.id for row in _new(connection, now, most, shut)]
    found: dict[int, Unmeasured] = {}
    for row in connection.execute(_NEW_SOURCES, {"ids": ids}) if ids else ():
        look = Look(row.size, row.mtime_ns, int(row.inode))
        found.setdefault(row.id, Unmeasured(row.id, row.settings, row.inbox, row.path, look))
    return list(found.values())


def _new(connection: Connection, now: float, most: int, shut: Collection[str]) -> Sequence[Row[Any]]:
    if shut:
        return connection.execute(_NEW_ELSEWHERE, {"now": now, "most": most, "shut": list(shut)}).all()
    return connection.execute(_NEW, {"now": now, "most": most}).all()


def admit(
    connection: Connection,
    now: float,
    limit: int,
    measured: Mapping[int, float | None],
    shut: Collection[str] = (),
) -> None:
    """Reserve for what is needed, oldest first; what does not fit is held, and smaller ones may pass it.

    `measured` are durations in seconds by recognition; where one is missing, the size has to do. What lies only in
    inboxes that are out of order (`shut`) takes no room from the others.
    """
    rows = _new(connection, now, max(limit, PAGE), shut)
    if not rows:
        return
    room = balances(connection)
    new = []
    for row in rows:
        duration = measured.get(row.id)
        seconds = _seconds(row, duration)
        held_back = obstacle(seconds, room) is not None
        room = room if held_back else after(room, seconds)
        new.append(_values(row.id, seconds, duration is None, held_back, now))
    connection.execute(_RESERVE, new)


def _seconds(row: Row[Any], duration: float | None) -> float:
    return billable(guess(row.size, row.suffix) if duration is None else duration, row.settings)


def _values(number: int, seconds: float, guessed: bool, held_back: bool, now: float) -> dict[str, Any]:
    state = "held" if held_back else "reserved"
    return {"recognition_id": number, "state": state, "seconds": seconds, "guessed": guessed, "since": now}


def promote(connection: Connection) -> bool:
    """Reserve for what was held and fits now, oldest first, a group of it; whether there was any."""
    room = balances(connection)
    left = min((balance.left for balance in room), default=float("inf"))
    free = []
    for row in connection.execute(_FITTING, {"left": left, "most": FREED_AT_ONCE}):
        if obstacle(row.seconds, room) is None:
            room = after(room, row.seconds)
            free.append({"row_id": row.id})
    if free:
        connection.execute(_FREE, free)
    return bool(free)


def may_promote(connection: Connection) -> bool:
    """Whether `promote` would find something that fits."""
    room = balances(connection)
    smallest = connection.execute(select(func.min(reservation.c.seconds)).where(reservation.c.state == "held")).scalar()
    return smallest is not None and obstacle(smallest, room) is None


def reserve_again(connection: Connection, recognition_id: int) -> bool:
    """For a payment that is to be made once more without a new upload; False where it does not fit."""
    if connection.execute(select(reservation.c.id).where(_of(recognition_id))).first() is not None:
        return True
    row = connection.execute(select(recognition).where(recognition.c.id == recognition_id)).one()
    last = connection.execute(
        select(reservation.c.seconds, reservation.c.guessed, reservation.c.since)
        .where(reservation.c.recognition_id == recognition_id)
        .order_by(reservation.c.id.desc())
    ).first()
    seconds, guessed, since = (_seconds(row, None), True, row.created_at) if last is None else tuple(last)
    if obstacle(seconds, balances(connection)):
        return False
    connection.execute(_RESERVE, [_values(recognition_id, seconds, guessed, False, since)])
    return True


def _of(recognition_id: int) -> Any:
    return (reservation.c.recognition_id == recognition_id) & reservation.c.batch_id.is_(None)


def release(connection: Connection, recognition_id: int) -> None:
    """The payment will not come: nothing of it was sent."""
    connection.execute(_RELEASE, {"of_recognition": recognition_id})


def sent(connection: Connection, batch_id: int, rows: Sequence[Row[Any]], now: float) -> None:
    """These recognitions are about to be paid for in a batch; what had no reservation (an old ledger) gets one."""
    pairs = [{"of_recognition": row.id, "of_batch": batch_id} for row in rows]
    if connection.execute(_SEND, pairs).rowcount == len(rows):
        return
    travelling = select(reservation.c.recognition_id).where(reservation.c.batch_id == batch_id)
    there = set(connection.execute(travelling).scalars())
    new = [_values(row.id, _seconds(row, None), True, False, now) for row in rows if row.id not in there]
    if new:
        connection.execute(_RESERVE, [{**values, "batch_id": batch_id} for values in new])


def taken_back(connection: Connection, batch_id: int) -> None:
    """The batch was definitely not accepted: its reservations stay, for its recognitions."""
    mine = (reservation.c.batch_id == batch_id, reservation.c.recognition_id.is_not(None))
    connection.execute(update(reservation).where(*mine).values(batch_id=None))


def settle(connection: Connection, batch_id: int, billed: float, now: float) -> None:
    """The batch is over, and the service said what it billed."""
    _spend(connection, billed, 0.0, now)
    connection.execute(_OVER, {"of_batch": batch_id})


def settle_unsaid(connection: Connection, batch_id: int, seconds: float | None, now: float) -> None:
    """The batch is over and nobody said what was billed: `seconds` by its results, else all that was reserved."""
    reserved, count = connection.execute(_OF_BATCH, {"of_batch": batch_id}).one()
    if count:
        _spend(connection, 0.0, reserved if seconds is None else seconds, now)
        connection.execute(_OVER, {"of_batch": batch_id})


def paid_twice(connection: Connection, batch_id: int, further: int) -> None:
    """So many further tasks of a batch were paid: each is taken to cost what was reserved, or its files' sizes."""
    seconds, count = connection.execute(_OF_BATCH, {"of_batch": batch_id}).one()
    if not count:  # it had been given up, and what was reserved serves the next try
        travelled = select(batch_item.c.recognition_id).where(batch_item.c.batch_id == batch_id)
        rows = connection.execute(select(recognition).where(recognition.c.id.in_(travelled))).all()
        seconds = sum(_seconds(row, None) for row in rows)
    intended_at = connection.execute(select(batch.c.intended_at).where(batch.c.id == batch_id)).scalar_one()
    _spend(connection, 0.0, seconds * further, intended_at)


def _spend(connection: Connection, billed: float, guessed: float, now: float) -> None:
    values = {"in_quarter": int(now // QUARTER), "more": billed, "more_guessed": guessed}
    if connection.execute(_ADD, values).rowcount == 0:
        row = {"quarter": values["in_quarter"], "billed": billed, "guessed": guessed}
        connection.execute(insert(spent).values(**row))


def unsettled(connection: Connection) -> tuple[int, list[tuple[float, bytes | None]]] | None:
    """A batch that is over and whose bill is not known: what was reserved for each of its payments, and the result."""
    over = select(func.min(batch.c.id)).join(reservation, reservation.c.batch_id == batch.c.id)
    batch_id = connection.execute(over.where(batch.c.state == "done")).scalar()
    if batch_id is None:
        return None
    query = (
        select(reservation.c.seconds, result.c.body)
        .outerjoin(result, result.c.recognition_id == reservation.c.recognition_id)
        .where(reservation.c.batch_id == batch_id)
    )
    return batch_id, [(row.seconds, row.body) for row in connection.execute(query)]


def usage(connection: Connection, since: float) -> Usage:
    """What was spent from a moment on, and what is reserved and held now."""
    sums = select(func.coalesce(func.sum(spent.c.billed), 0.0), func.coalesce(func.sum(spent.c.guessed), 0.0))
    billed, guessed = connection.execute(sums.where(spent.c.quarter >= int(since // QUARTER))).one()
    reserved = connection.execute(_OPEN).scalar_one()
    held, files = connection.execute(
        select(func.coalesce(func.sum(reservation.c.seconds), 0.0), func.count()).where(reservation.c.state == "held")
    ).one()
    return Usage(billed, guessed, reserved, held, files)


def total(connection: Connection) -> float:
    """All that was ever spent."""
    return float(connection.execute(_SPENT, {"first": 0}).scalar_one())


def held(connection: Connection) -> Held:
    """How many payments wait for the limits, and how many of them never fit as the limits are."""
    smallest = select(func.min(allowance.c.seconds)).scalar_subquery()
    mine = reservation.c.state == "held"
    fitting, longer = (mine, reservation.c.seconds <= smallest), (mine, reservation.c.seconds > smallest)
    count = select(func.count(), func.min(reservation.c.since)).select_from(reservation)
    files, since = connection.execute(count.where(*fitting)).one()
    longer_files = connection.execute(count.where(*longer)).one()[0]
    reason = None
    if longer_files:
        columns = select(reservation.c.seconds, reservation.c.guessed).where(*longer)
        row = connection.execute(columns.order_by(reservation.c.seconds).limit(1)).one()
        reason = obstacle(row.seconds, balances(connection), row.guessed)
    return Held(files, since, longer_files, reason)
