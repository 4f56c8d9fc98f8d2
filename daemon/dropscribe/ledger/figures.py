"""Sums for the dashboard of whoever runs it: numbers, and no name of anybody's file."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from dropscribe.ledger.notices import waiting
from dropscribe.ledger.schema import OPEN_MEDIA, OWED_MEDIA, batch, media, recognition
from dropscribe.ledger.spending import HELD
from dropscribe.ledger.stories import superseded

_OPEN_BATCHES = ("intended", "lost", "submitted")


@dataclass(frozen=True, slots=True)
class Figures:
    """What is where. `waiting` splits the files that wait on their recognition by its state."""

    media: Mapping[str, int]
    waiting: Mapping[str, int]
    unfinished_bytes: int
    oldest: float | None
    """When the oldest unfinished file was taken."""
    batches: Mapping[str, int]
    notices: int


def figures(connection: Connection) -> Figures:
    """All of them; a few scans of indexes."""
    states = select(media.c.state, func.count()).group_by(media.c.state)
    on_recognition = (
        select(recognition.c.state, func.count())
        .join(media, media.c.recognition_id == recognition.c.id)
        .where(media.c.state == "waiting")
        .group_by(recognition.c.state)
    )
    unfinished = select(func.coalesce(func.sum(media.c.size), 0), func.min(media.c.taken_at))
    size, oldest = connection.execute(unfinished.where(media.c.state.in_(OPEN_MEDIA))).one()
    batches = select(batch.c.state, func.count()).where(batch.c.state.in_(_OPEN_BATCHES)).group_by(batch.c.state)
    return Figures(
        media={row[0]: row[1] for row in connection.execute(states)} | _failed(connection),
        waiting={row[0]: row[1] for row in connection.execute(on_recognition)},
        unfinished_bytes=int(size),
        oldest=oldest,
        batches={row[0]: row[1] for row in connection.execute(batches)},
        notices=waiting(connection)[0],
    )


def _failed(connection: Connection) -> dict[str, int]:
    """Those that were not tried again since: a count that never went down would be an alarm for ever."""
    query = select(func.count()).where(media.c.state == "failed", ~superseded())
    return {"failed": connection.execute(query).scalar_one()}


def something_due(connection: Connection, now: float) -> bool:
    """Whether anything could be uploaded, submitted or delivered now."""
    ready = (recognition.c.state.in_(("needed", "uploaded")), recognition.c.wait_until <= now, ~HELD)
    wanted = exists().where(media.c.recognition_id == recognition.c.id, media.c.state == "waiting")
    owed = (media.c.state.in_(OWED_MEDIA), media.c.wait_until <= now)
    work = select(recognition.c.id).where(*ready, wanted).limit(1)
    return any(connection.execute(query).first() for query in (work, select(media.c.id).where(*owed).limit(1)))
