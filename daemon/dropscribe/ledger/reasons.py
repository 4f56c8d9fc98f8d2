"""Which error files tell of what is no more: a later version of their file was taken since.

A failed file with an error file, and a later row of its path, is an error file that is still to be looked after. So no
death and no missing disk can make anybody forget it.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, exists, select, update

from dropscribe.ledger.deliveries import OWED_COLUMNS, owed_of
from dropscribe.ledger.rows import StaleReason
from dropscribe.ledger.schema import media, recognition

AT_ONCE = 500

_later = media.alias("later")
_TAKEN_AGAIN = (
    select(media.c.path)
    .where(media.c.state == "failed", media.c.inbox == bindparam("of_inbox"), media.c.error_file.is_not(None))
    .where(exists().where(_later.c.inbox == media.c.inbox, _later.c.path == media.c.path, _later.c.id > media.c.id))
    .distinct()
)
_AT = (media.c.inbox == bindparam("of_inbox"), media.c.path.in_(bindparam("paths", expanding=True)))
_WITH_REASON = select(media.c.path).where(*_AT, media.c.error_file.is_not(None)).distinct()
_VERSIONS = (
    select(*OWED_COLUMNS, media.c.finished_at)
    .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
    .where(*_AT)
    .order_by(media.c.id.desc())
)
_OF_FILE = (
    select(*OWED_COLUMNS, media.c.finished_at)
    .outerjoin(recognition, recognition.c.id == media.c.recognition_id)
    .where(media.c.id == bindparam("row_id"), media.c.state == "failed", media.c.error_file.is_not(None))
)
_GONE = (
    update(media)
    .where(media.c.inbox == bindparam("of_inbox"), media.c.path == bindparam("of_path"))
    .where(media.c.id <= bindparam("last_id"), media.c.error_file == bindparam("name"))
    .values(error_file=None)
)


def taken_again(connection: Connection, inbox: str) -> list[bytes]:
    """The paths of an inbox at which error files of earlier versions may stand."""
    return list(connection.execute(_TAKEN_AGAIN, {"of_inbox": inbox}).scalars())


def stale(connection: Connection, inbox: str, paths: Sequence[bytes]) -> list[StaleReason]:
    """The error files of earlier versions of the files at these paths, but for those that a later one has replaced."""
    chunks = [paths[start : start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
    return [one for chunk in chunks for one in _stale(connection, inbox, chunk)]


def _stale(connection: Connection, inbox: str, paths: Sequence[bytes]) -> Iterator[StaleReason]:
    told = list(connection.execute(_WITH_REASON, {"of_inbox": inbox, "paths": paths}).scalars())
    if not told:
        return
    replaced: dict[bytes, set[bytes | None]] = {}
    for row in connection.execute(_VERSIONS, {"of_inbox": inbox, "paths": told}):
        by_later = replaced.get(row.path)
        if by_later is not None and row.state == "failed" and row.error_file not in {None, *by_later}:
            yield StaleReason(owed_of(row), row.error_file, row.finished_at)
        replaced.setdefault(row.path, set()).add(row.error_file)


def of_file(connection: Connection, media_id: int) -> StaleReason | None:
    """The error file of a failed file, which somebody wants tried again; None where the ledger knows of none."""
    row = connection.execute(_OF_FILE, {"row_id": media_id}).first()
    return None if row is None else StaleReason(owed_of(row), row.error_file, row.finished_at)


def gone(connection: Connection, reasons: Sequence[StaleReason]) -> None:
    """These error files stand no more, durably, or are a person's: what they were called is nobody's."""
    if reasons:
        names = [
            {"of_inbox": one.media.inbox, "of_path": one.media.path, "last_id": one.media.media_id, "name": one.path}
            for one in reasons
        ]
        connection.execute(_GONE, names)
