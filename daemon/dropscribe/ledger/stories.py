"""What `status`, `retry`, `render` and `forget` ask of the ledger: files with what they wait on, and what was paid."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select, true

from dropscribe.ledger.schema import (
    OPEN_MEDIA,
    batch,
    batch_item,
    media,
    output,
    recognition,
    reservation,
    result,
    scope,
)
from dropscribe.model import MediaState, RecognitionState, Scope

AT_ONCE = 500
"""Values of one IN list."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of `media` with what it waits on. `batch_*` are of the batch whose outcome is open, if there is one."""

    media_id: int
    inbox: str
    path: bytes
    size: int
    sha256: str | None
    state: MediaState
    recognition_id: int | None
    recognition_state: RecognitionState | None
    model: str | None
    taken_at: float
    ready_at: float | None
    answered_at: float | None
    finished_at: float | None
    wait_until: float
    recognition_wait_until: float
    reason: str | None
    code: str | None
    message: str | None
    remedy: str | None
    recognition_code: str | None
    recognition_message: str | None
    request_id: str | None
    task_id: str | None
    attempts: int
    moved_to: bytes | None
    error_file: bytes | None
    batch_state: str | None
    batch_reason: str | None
    submitted_at: float | None
    account: str | None
    mtime_ns: int | None = None
    held_seconds: float | None = None
    """What its payment, which waits for the limits, is reserved for; `held_guessed`: by its size."""
    held_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Payment:
    """One batch that a recognition travelled in."""

    task_id: str | None
    state: str
    total: int
    intended_at: float
    submitted_at: float | None
    billed_seconds: float | None
    paid_twice: tuple[str, ...]
    verdict: str | None


def _files(*conditions: ColumnElement[bool]) -> Select[Any]:
    live = and_(batch_item.c.recognition_id == recognition.c.id, batch_item.c.live)
    held = and_(reservation.c.recognition_id == recognition.c.id, reservation.c.state == "held")
    return (
        select(
            media,
            recognition.c.state.label("recognition_state"),
            recognition.c.model,
            recognition.c.ready_at,
            recognition.c.finished_at.label("answered_at"),
            recognition.c.wait_until.label("recognition_wait_until"),
            recognition.c.code.label("recognition_code"),
            recognition.c.message.label("recognition_message"),
            recognition.c.task_id.label("recognition_task"),
            recognition.c.attempts.label("recognition_attempts"),
            batch.c.state.label("batch_state"),
            batch.c.reason.label("batch_reason"),
            batch.c.submitted_at,
            batch.c.account,
            reservation.c.seconds.label("held_seconds"),
            reservation.c.guessed.label("held_guessed"),
        )
        .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
        .outerjoin(batch_item, live)
        .outerjoin(batch, batch.c.id == batch_item.c.batch_id)
        .outerjoin(reservation, held)
        .where(*conditions)
        .order_by(media.c.id.desc())
    )


def superseded() -> ColumnElement[bool]:
    """A later row tells of the same file: of the same content, or at a path whose source stayed in the inbox."""
    later = media.alias("later")
    same_look = and_(later.c.size == media.c.size, later.c.mtime_ns == media.c.mtime_ns)
    same = or_(media.c.moved_to.is_(None), later.c.sha256 == media.c.sha256, same_look)
    return exists().where(later.c.inbox == media.c.inbox, later.c.path == media.c.path, later.c.id > media.c.id, same)


def open_files(connection: Connection) -> list[FileRow]:
    """Files that are neither delivered, failed nor withdrawn, newest first."""
    return _rows(connection, _files(media.c.state.in_(OPEN_MEDIA)))


def failed_files(connection: Connection) -> list[FileRow]:
    """Files that failed and were not taken again since, newest first; of several in one place only the newest."""
    found: dict[object, FileRow] = {}
    for row in _rows(connection, _files(media.c.state == "failed", ~superseded())):
        found.setdefault(row.error_file or row.media_id, row)
    return list(found.values())


def ended_files(
    connection: Connection, limit: int, inbox: str | None = None, below: bytes = b"", placed: bytes = b""
) -> list[FileRow]:
    """The last files that were delivered or withdrawn, newest first; of one inbox those below a folder within it, or
    of which something was `placed` below an absolute folder.
    """
    withdrawn = and_(media.c.state == "withdrawn", ~superseded())
    mine = true() if inbox is None else and_(media.c.inbox == inbox, _below(below, placed))
    return _rows(connection, _files(or_(media.c.state == "delivered", withdrawn), mine).limit(limit))


def _below(place: bytes, placed: bytes) -> ColumnElement[bool]:
    """In a folder within an inbox, at any depth (b"": the inbox itself); of which something is below `placed`."""
    taken_there = _in_folder(media.c.path, place) if place else true()
    return and_(taken_there, _placed_below(placed)) if placed else taken_there


def _placed_below(folder: bytes) -> ColumnElement[bool]:
    outputs = select(output.c.media_id).where(_in_folder(output.c.path, folder))
    moved = or_(_in_folder(media.c.moved_to, folder), _in_folder(media.c.error_file, folder))
    return or_(media.c.id.in_(outputs), moved)


def _in_folder(path: ColumnElement[Any], folder: bytes) -> ColumnElement[bool]:
    return and_(path >= folder + b"/", path < folder + b"0")  # "0" follows "/"


def inboxes_with_files_below(connection: Connection, folder: bytes) -> list[str]:
    """The inboxes of which an output, a source or an error file was placed below an absolute folder."""
    query = select(media.c.inbox).where(_placed_below(folder)).distinct().order_by(media.c.inbox)
    return list(connection.execute(query).scalars())


def delivered_counts(
    connection: Connection, keeping: Collection[str] = (), below: bytes = b"", placed: bytes = b""
) -> dict[str, int]:
    """How many files of each inbox are delivered, of those that `ended_files` means by `below` and `placed`. In those
    that are `keeping` their sources a path is one file, whose newest version counts.
    """
    later = media.alias("later")
    newer = (later.c.inbox == media.c.inbox, later.c.path == media.c.path, later.c.id > media.c.id)
    replaced = exists().where(*newer, later.c.state != "withdrawn")
    mine = (media.c.state == "delivered", _below(below, placed))
    delivered = select(media.c.inbox, func.count()).where(*mine).group_by(media.c.inbox)
    counted = delivered.where(media.c.inbox.not_in(keeping)), delivered.where(media.c.inbox.in_(keeping), ~replaced)
    return {row[0]: row[1] for query in counted for row in connection.execute(query)}


def files_at(connection: Connection, inbox: str, path: bytes) -> list[FileRow]:
    """Every file that was ever taken at a path within an inbox, newest first."""
    return _rows(connection, _files(media.c.inbox == inbox, media.c.path == path))


def files_of_others(connection: Connection, inboxes: Collection[str], path: bytes) -> list[FileRow]:
    """Every file that was ever taken at a path within an inbox that is none of these, newest first."""
    return _rows(connection, _files(media.c.inbox.not_in(inboxes), media.c.path == path))


def files_placed(connection: Connection, places: Sequence[bytes]) -> list[FileRow]:
    """Files of which an output, the source or the error file went to one of these absolute paths, newest first."""
    outputs = select(output.c.media_id).where(output.c.path.in_(places))
    placed = or_(media.c.id.in_(outputs), media.c.moved_to.in_(places), media.c.error_file.in_(places))
    return _rows(connection, _files(placed))


def files_of_recognition(connection: Connection, recognition_id: int) -> list[FileRow]:
    """Every file that shares this recognition, newest first."""
    return _rows(connection, _files(media.c.recognition_id == recognition_id))


def outputs_of(connection: Connection, media_ids: Sequence[int]) -> dict[int, tuple[bytes, ...]]:
    """The absolute paths of these files' outputs."""
    found: dict[int, tuple[bytes, ...]] = {}
    for start in range(0, len(media_ids), AT_ONCE):
        some = output.c.media_id.in_(media_ids[start : start + AT_ONCE])
        query = select(output.c.media_id, output.c.path).where(some).order_by(output.c.path)
        for media_id, path in connection.execute(query):
            found[media_id] = (*found.get(media_id, ()), path)
    return found


def kept_result(connection: Connection, recognition_id: int) -> tuple[str, bytes] | None:
    """(settings as JSON, compressed answer) of a recognition; None where it is not kept, or not there yet."""
    query = (
        select(recognition.c.settings, result.c.body)
        .join(result, result.c.recognition_id == recognition.c.id)
        .where(recognition.c.id == recognition_id)
    )
    row = connection.execute(query).first()
    return None if row is None else (row.settings, row.body)


def payments(connection: Connection, recognition_id: int) -> list[Payment]:
    """The batches that this recognition travelled in, oldest first."""
    query = (
        select(batch, batch_item.c.verdict)
        .join(batch_item, batch_item.c.batch_id == batch.c.id)
        .where(batch_item.c.recognition_id == recognition_id)
        .order_by(batch.c.id)
    )
    return [
        Payment(
            row.task_id,
            row.state,
            row.total,
            row.intended_at,
            row.submitted_at,
            row.billed_seconds,
            tuple(json.loads(row.paid_twice or "[]")),
            row.verdict,
        )
        for row in connection.execute(query)
    ]


def doubled(connection: Connection) -> list[tuple[int, list[str]]]:
    """Batches that were paid more than once, with the further tasks."""
    query = select(batch.c.id, batch.c.paid_twice).where(batch.c.paid_twice.is_not(None)).order_by(batch.c.id)
    return [(row.id, json.loads(row.paid_twice)) for row in connection.execute(query)]


def open_scopes(connection: Connection) -> list[Scope]:
    """What was out of order when the ledger was last told."""
    return [
        Scope(row.name, row.code, row.message, row.remedy, row.since, row.retry_at)
        for row in connection.execute(select(scope).order_by(scope.c.since))
    ]


def _rows(connection: Connection, query: Select[Any]) -> list[FileRow]:
    return [_file(row) for row in connection.execute(query)]


def _file(row: Row[Any]) -> FileRow:
    return FileRow(
        media_id=row.id,
        inbox=row.inbox,
        path=row.path,
        size=row.size,
        sha256=row.sha256,
        state=row.state,
        recognition_id=row.recognition_id,
        recognition_state=row.recognition_state,
        model=row.model,
        taken_at=row.taken_at,
        ready_at=row.ready_at,
        answered_at=row.answered_at,
        finished_at=row.finished_at,
        wait_until=row.wait_until,
        recognition_wait_until=row.recognition_wait_until or 0.0,
        reason=row.reason,
        code=row.code,
        message=row.message,
        remedy=row.remedy,
        recognition_code=row.recognition_code,
        recognition_message=row.recognition_message,
        request_id=row.request_id,
        task_id=row.task_id or row.recognition_task,
        attempts=row.attempts or row.recognition_attempts or 0,
        moved_to=row.moved_to,
        error_file=row.error_file,
        batch_state=row.batch_state,
        batch_reason=row.batch_reason,
        submitted_at=row.submitted_at,
        account=row.account,
        mtime_ns=row.mtime_ns,
        held_seconds=row.held_seconds,
        held_guessed=bool(row.held_guessed),
    )
