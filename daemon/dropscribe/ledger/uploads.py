"""Which recognitions need their object in the bucket, and under which recorded key."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, select, update

from dropscribe.ledger.intake import abandon_unwanted, look_of, withdraw
from dropscribe.ledger.rows import Source, UploadJob
from dropscribe.ledger.schema import media, recognition, stored_object


def claim(
    connection: Connection,
    limit: int,
    now: float,
    owner: int,
    new_key: Callable[[str], str],
    multipart_above: int,
) -> list[UploadJob]:
    """Claim up to `limit` recognitions for upload; their keys (`new_key(suffix)`) are recorded before their first use.

    One whose old objects are not gone yet is passed over: a submit that surfaces late must find nothing to recognise.
    """
    old = exists().where(stored_object.c.recognition_id == recognition.c.id, stored_object.c.doomed)
    ready = (recognition.c.state == "needed", recognition.c.wait_until <= now, ~old)
    rows = connection.execute(select(recognition).where(*ready).order_by(recognition.c.id).limit(limit)).all()
    sources = _sources(connection, [row.id for row in rows])
    kept = _kept_objects(connection, [row.id for row in rows])
    jobs = [_job(row, kept.get(row.id), tuple(sources.get(row.id, ())), new_key, multipart_above) for row in rows]
    _record_claims(connection, jobs, set(kept), owner, now)
    return jobs


def next_wait(connection: Connection, now: float) -> float | None:
    """When the next recognition that waits for another try is due."""
    waiting = (recognition.c.state.in_(("needed", "uploaded")), recognition.c.wait_until > now)
    return connection.execute(select(func.min(recognition.c.wait_until)).where(*waiting)).scalar()


def upload_begun(connection: Connection, key: str, upload_id: str | None) -> None:
    """The id of a multipart upload, so that its parts are found again; None drops one that the storage lost."""
    connection.execute(
        update(stored_object).where(stored_object.c.key == key).values(upload_id=upload_id, multipart=True)
    )


def uploaded(connection: Connection, recognition_id: int, now: float) -> bool:
    """The object stands in the bucket with the checksum of what was taken: ready for a batch."""
    changed = connection.execute(
        update(recognition)
        .where(recognition.c.id == recognition_id, recognition.c.state == "uploading")
        .values(state="uploaded", ready_at=now, owner=None)
    )
    done = stored_object.c.recognition_id == recognition_id
    connection.execute(
        update(stored_object).where(done, ~stored_object.c.doomed).values(upload_id=None, multipart=False)
    )
    return changed.rowcount == 1 and not abandon_unwanted(connection, recognition_id, now)


def put_back(connection: Connection, recognition_id: int, wait_until: float) -> None:
    """The upload did not happen for a reason that is not the file's: nothing is charged."""
    connection.execute(
        update(recognition)
        .where(recognition.c.id == recognition_id, recognition.c.state == "uploading")
        .values(state="needed", owner=None, wait_until=wait_until)
    )


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
    rows = connection.execute(select(media).where(media.c.recognition_id.in_(ids), media.c.state == "waiting"))
    found: dict[int, list[Source]] = {}
    for row in rows:
        found.setdefault(row.recognition_id, []).append(Source(row.id, row.inbox, row.path, look_of(row)))
    return found


def _kept_objects(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Objects reserved by an earlier, interrupted claim: their keys and parts are used again."""
    query = select(stored_object).where(stored_object.c.recognition_id.in_(ids), ~stored_object.c.doomed)
    return {row.recognition_id: row for row in connection.execute(query)}


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
    if not jobs:
        return
    connection.execute(
        update(recognition)
        .where(recognition.c.id == bindparam("row_id"))
        .values(state="uploading", owner=owner, object_key=bindparam("key_now")),
        [{"row_id": job.recognition_id, "key_now": job.key} for job in jobs],
    )
    new = [
        {"key": job.key, "recognition_id": job.recognition_id, "multipart": job.multipart, "created_at": now}
        for job in jobs
        if job.recognition_id not in kept
    ]
    if new:
        connection.execute(insert(stored_object), new)
