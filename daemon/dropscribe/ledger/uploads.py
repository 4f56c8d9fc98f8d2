"""Which recognitions need their object in the bucket, and under which recorded key."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, exists, func, insert, select, update

from dropscribe.ledger import spending
from dropscribe.ledger.intake import LOOK_COLUMNS, WANTED, abandon_unwanted, look_of, withdraw
from dropscribe.ledger.rows import Source, UploadJob
from dropscribe.ledger.schema import media, recognition, reservation, stored_object

_OLD = exists().where(stored_object.c.recognition_id == recognition.c.id, stored_object.c.doomed)
_NEEDED = (
    select(
        recognition.c.id,
        recognition.c.suffix,
        recognition.c.size,
        recognition.c.crc64,
        recognition.c.attempts,
    )
    .where(recognition.c.state == "needed", recognition.c.wait_until <= bindparam("now"), ~_OLD)
    .order_by(recognition.c.id)
    .limit(bindparam("most"))
)
_NEEDED_ELSEWHERE = _NEEDED.where(spending.ELSEWHERE)
_AFFORDED = _NEEDED.join(reservation, spending.RESERVED).order_by(None).order_by(reservation.c.recognition_id)
_AFFORDED_ELSEWHERE = _AFFORDED.where(spending.ELSEWHERE)
_RESTED = _AFFORDED.order_by(None).order_by(recognition.c.wait_until, recognition.c.id)
_RESTED_ELSEWHERE = _RESTED.where(spending.ELSEWHERE)
_NEXT = _NEEDED.where(~spending.HELD)
_NEXT_ELSEWHERE = _NEEDED_ELSEWHERE.where(~spending.HELD)
# Conditions on the state are left to us: SQLite would go through all that wait, and all that is stored, for a few rows.
_SOURCES = select(media.c.id, media.c.inbox, media.c.path, media.c.recognition_id, media.c.state, *LOOK_COLUMNS).where(
    media.c.recognition_id.in_(bindparam("ids", expanding=True))
)
_KEPT = select(
    stored_object.c.recognition_id, stored_object.c.key, stored_object.c.upload_id, stored_object.c.doomed
).where(stored_object.c.recognition_id.in_(bindparam("ids", expanding=True)))
_CLAIM = (
    update(recognition)
    .where(recognition.c.id == bindparam("row_id"))
    .values(state="uploading", owner=bindparam("epoch"), object_key=bindparam("key_now"))
)
_RESERVE_KEY = insert(stored_object)
_UPLOADED = (
    update(recognition)
    .where(recognition.c.id == bindparam("row_id"), recognition.c.state == "uploading")
    .values(state="uploaded", ready_at=bindparam("now"), owner=None)
)
_UPLOADED_AND_WANTED = _UPLOADED.where(WANTED)
_AMONG = select(recognition.c.id).where(recognition.c.id.in_(bindparam("ids", expanding=True)))
_UPLOADING = _AMONG.where(recognition.c.state == "uploading")
_STANDING = _AMONG.where(recognition.c.state == "uploaded", recognition.c.ready_at == bindparam("now"))
_NEXT_WAIT = select(func.min(recognition.c.wait_until)).where(
    recognition.c.state.in_(bindparam("states", expanding=True)), recognition.c.wait_until > bindparam("now")
)
_UNDERWAY = select(recognition.c.id).where(recognition.c.state.in_(("needed", "uploading"))).limit(1)
_WHOLE = (
    update(stored_object)
    .where(stored_object.c.recognition_id == bindparam("owner_id"), stored_object.c.upload_id.is_not(None))
    .values(upload_id=None, multipart=False)
)


@dataclass(frozen=True)
class Turns:
    """Who may not be claimed now, and who goes first.

    `shut`: recognitions whose sources all lie in these inboxes, which are out of order, would take the others' turns.
    `rested_first`: those that have not failed, or whose wait ended first, go before older ones that fail again and
    again (a sort of all that is needed: for the rare try, not for every claim).
    """

    shut: Collection[str] = ()
    rested_first: bool = False


AS_USUAL = Turns()


def claim(
    connection: Connection,
    limit: int,
    now: float,
    owner: int,
    new_key: Callable[[str], str],
    multipart_above: int,
    turns: Turns = AS_USUAL,
    measured: Mapping[int, float | None] | None = None,
) -> list[UploadJob]:
    """Claim up to `limit` recognitions for upload; their keys (`new_key(suffix)`) are recorded before their first use.

    Nothing is claimed whose payment is not reserved; `measured` are durations in seconds (see `spending.admit`).

    One whose old objects are not gone yet is passed over: a submit that surfaces late must find nothing to recognise.
    Whose turn it is, `turns` says.
    """
    usual, elsewhere = (_RESTED, _RESTED_ELSEWHERE) if turns.rested_first else (_AFFORDED, _AFFORDED_ELSEWHERE)
    query = elsewhere if turns.shut else usual
    rows = [] if measured or turns.rested_first else _rows(connection, query, limit, now, turns.shut)
    if len(rows) < limit:  # what is reserved ahead has to be passed over each time: no more of it than is needed
        spending.admit(connection, now, limit, measured or {}, turns.shut)
        rows = _rows(connection, query, limit, now, turns.shut)
    if not rows:
        return []
    sources = _sources(connection, [row.id for row in rows])
    kept = _kept_objects(connection, [row.id for row in rows])
    jobs = [_job(row, kept.get(row.id), tuple(sources.get(row.id, ())), new_key, multipart_above) for row in rows]
    _record_claims(connection, jobs, set(kept), owner, now)
    return jobs


def next_wait(connection: Connection, now: float, states: Sequence[str] = ("needed", "uploaded")) -> float | None:
    """When the next recognition of these states that waits for another try is due. Goes through all of them."""
    return connection.execute(_NEXT_WAIT, {"now": now, "states": list(states)}).scalar()


def any_needed(connection: Connection, now: float, shut: Collection[str] = ()) -> bool:
    """Whether `claim` would find something now, unless it has to be held."""
    return bool(_rows(connection, _NEXT_ELSEWHERE if shut else _NEXT, 1, now, shut))


def _rows(
    connection: Connection, query: Select[Any], limit: int, now: float, shut: Collection[str]
) -> Sequence[Row[Any]]:
    shut_now = {"shut": list(shut)} if shut else {}
    return connection.execute(query, {"now": now, "most": limit, **shut_now}).all()


def any_underway(connection: Connection) -> bool:
    """Whether anything is still on its way to the bucket."""
    return connection.execute(_UNDERWAY).first() is not None


def upload_begun(connection: Connection, key: str, upload_id: str | None) -> None:
    """The id of a multipart upload, so that its parts are found again; None drops one that the storage lost."""
    connection.execute(
        update(stored_object).where(stored_object.c.key == key).values(upload_id=upload_id, multipart=True)
    )


def all_uploaded(connection: Connection, done: Sequence[tuple[int, bool]], now: float) -> set[int]:
    """Objects stand in the bucket with the checksum of what was taken, ready for a batch: (recognition, whether it went
    up in parts). Returns those that somebody still waits for; the others are given up.
    """
    ids = [recognition_id for recognition_id, _ in done]
    if in_parts := [{"owner_id": recognition_id} for recognition_id, was_multipart in done if was_multipart]:
        connection.execute(_WHOLE, in_parts)
    values = [{"row_id": recognition_id, "now": now} for recognition_id in ids]
    if connection.execute(_UPLOADED_AND_WANTED, values).rowcount == len(ids):  # as good as always: one statement
        return set(ids)
    unwanted = set(connection.execute(_UPLOADING, {"ids": ids}).scalars())
    for recognition_id in unwanted:
        connection.execute(_UPLOADED, {"row_id": recognition_id, "now": now})
        abandon_unwanted(connection, recognition_id, now)
    return set(connection.execute(_STANDING, {"ids": ids, "now": now}).scalars())


def put_back(connection: Connection, recognition_id: int, wait_until: float) -> None:
    """The upload did not happen for a reason that is not the file's: nothing is charged. One that nobody waits for any
    more is given up: a source withdrawn while it was uploaded could not take its recognition along.
    """
    connection.execute(
        update(recognition)
        .where(recognition.c.id == recognition_id, recognition.c.state == "uploading")
        .values(state="needed", owner=None, wait_until=wait_until)
    )
    abandon_unwanted(connection, recognition_id, wait_until)


def source_lost(connection: Connection, job: UploadJob, lost: Iterable[tuple[int, str]], now: float) -> None:
    """None of the sources tried is still the file that was taken: they are withdrawn; others may still wait on it."""
    put_back(connection, job.recognition_id, now)
    for media_id, reason in lost:
        withdraw(connection, media_id, reason, now)


def charge(connection: Connection, recognition_id: int, code: str, message: str, wait_until: float) -> None:
    """A fault of this file that may pass: one try is used up."""
    row = connection.execute(select(recognition.c.tries).where(recognition.c.id == recognition_id)).one()
    connection.execute(
        update(recognition)
        .where(recognition.c.id == recognition_id)
        .values(
            attempts=recognition.c.attempts + 1,
            tries=one_more(row.tries, code),
            code=code,
            message=message,
            wait_until=wait_until,
        )
    )
    put_back(connection, recognition_id, wait_until)


def one_more(tries: str, code: str) -> str:
    counted: dict[str, int] = json.loads(tries)
    counted[code] = counted.get(code, 0) + 1
    return json.dumps(counted)


def _sources(connection: Connection, ids: Sequence[int]) -> dict[int, list[Source]]:
    rows = connection.execute(_SOURCES, {"ids": list(ids)})
    found: dict[int, list[Source]] = {}
    for row in (row for row in rows if row.state == "waiting"):
        found.setdefault(row.recognition_id, []).append(Source(row.id, row.inbox, row.path, look_of(row)))
    return found


def _kept_objects(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Objects reserved by an earlier, interrupted claim: their keys and parts are used again."""
    rows = connection.execute(_KEPT, {"ids": list(ids)})
    return {row.recognition_id: row for row in rows if not row.doomed}


def _job(
    row: Row[Any],
    kept: Row[Any] | None,
    sources: tuple[Source, ...],
    new_key: Callable[[str], str],
    above: int,
) -> UploadJob:
    return UploadJob(
        recognition_id=row.id,
        key=new_key(row.suffix) if kept is None else kept.key,
        multipart=row.size > above,
        upload_id=None if kept is None else kept.upload_id,
        size=row.size,
        crc64=int(row.crc64, 16),
        attempts=row.attempts,
        sources=sources,
    )


def _record_claims(connection: Connection, jobs: Sequence[UploadJob], kept: set[int], owner: int, now: float) -> None:
    claims = [{"row_id": job.recognition_id, "epoch": owner, "key_now": job.key} for job in jobs]
    connection.execute(_CLAIM, claims)
    new = [
        {"key": job.key, "recognition_id": job.recognition_id, "multipart": job.multipart, "created_at": now}
        for job in jobs
        if job.recognition_id not in kept
    ]
    if new:
        connection.execute(_RESERVE_KEY, new)
