"""How much there is to do and how much is done, as numbers: for a status line and for the progress of one run."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from dropscribe.ledger.schema import OPEN_MEDIA, batch, media, recognition, stored_object

OUT = ("submitted", "lost", "intended")
FINISHED = ("delivered", "failed")


@dataclass(frozen=True, slots=True)
class Work:
    """What is not finished: files by what they wait for, and tasks at the service."""

    to_upload: int = 0
    to_submit: int = 0
    at_service: int = 0
    to_deliver: int = 0
    tasks: int = 0
    newest: tuple[int | None, ...] = ()
    """Newest file and newest batch, and how many objects are known: with the numbers above, what changes as work
    goes on.
    """

    @property
    def files(self) -> int:
        return self.to_upload + self.to_submit + self.at_service + self.to_deliver


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the files that were open at a moment or came later. Bytes are of files, not of requests."""

    files: int = 0
    size: int = 0
    delivered: int = 0
    failed: int = 0
    finished_size: int = 0
    uploaded_size: int = 0
    """Sizes of all that is past its upload, finished files too."""
    tasks: int = 0
    tasks_open: int = 0


def work(connection: Connection) -> Work:
    """Costs in proportion to what is open, not to what is remembered."""
    waits_for = select(func.coalesce(recognition.c.state, "needed").label("step"), func.count().label("files"))
    rows = connection.execute(
        waits_for.select_from(media.outerjoin(recognition, recognition.c.id == media.c.recognition_id))
        .where(media.c.state == "waiting")
        .group_by("step")
    )
    steps = {row.step: row.files for row in rows}
    owed = select(func.count()).where(media.c.state.in_(("due", "delivering", "failing")))
    return Work(
        to_upload=steps.get("needed", 0) + steps.get("uploading", 0),
        to_submit=steps.get("uploaded", 0) + steps.get("submitting", 0),
        at_service=steps.get("submitted", 0),
        to_deliver=connection.execute(owed).scalar_one() + steps.get("answered", 0),
        tasks=connection.execute(select(func.count()).where(batch.c.state.in_(OUT))).scalar_one(),
        newest=tuple(
            connection.execute(select(what)).scalar()
            for what in (func.max(media.c.id), func.max(batch.c.id), func.count(stored_object.c.key))
        ),
    )


def tally(connection: Connection, since: float) -> Tally:
    """Of all files that are open or were finished after `since`."""
    step = func.coalesce(recognition.c.state, "needed").label("step")
    groups = connection.execute(
        select(media.c.state, step, func.count().label("files"), func.sum(media.c.size).label("size"))
        .select_from(media.outerjoin(recognition, recognition.c.id == media.c.recognition_id))
        .where(media.c.state.in_(OPEN_MEDIA) | (media.c.state.in_(FINISHED) & (media.c.finished_at >= since)))
        .group_by(media.c.state, step)
    ).all()
    finished = [group for group in groups if group.state in FINISHED]
    to_upload = [group for group in groups if group.state == "waiting" and group.step in ("needed", "uploading")]
    begun = batch.c.submitted_at >= since
    size = sum(group.size for group in groups)
    return Tally(
        files=sum(group.files for group in groups),
        size=size,
        delivered=sum(group.files for group in groups if group.state == "delivered"),
        failed=sum(group.files for group in groups if group.state == "failed"),
        finished_size=sum(group.size for group in finished),
        uploaded_size=size - sum(group.size for group in to_upload),
        tasks=connection.execute(select(func.count()).where(begun)).scalar_one(),
        tasks_open=connection.execute(select(func.count()).where(batch.c.state.in_(OUT))).scalar_one(),
    )


def orphans(connection: Connection, inboxes: Collection[str]) -> dict[str, int]:
    """Unfinished files of inboxes that are none of these."""
    mine = (media.c.state.in_(OPEN_MEDIA), media.c.inbox.not_in(inboxes))
    query = select(media.c.inbox, func.count()).where(*mine).group_by(media.c.inbox)
    return {row[0]: row[1] for row in connection.execute(query)}
