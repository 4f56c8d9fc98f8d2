"""What a person gives up though it is not finished, and what a person wants removed from the ledger."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, update

from dropscribe.ledger import batches
from dropscribe.ledger.intake import abandon_unwanted
from dropscribe.ledger.schema import (
    OPEN_MEDIA,
    batch,
    batch_item,
    folder,
    media,
    notice,
    output,
    recognition,
    reservation,
    result,
    stored_object,
)
from dropscribe.model import Failure

NOBODY = Failure("GivenUp", "nobody waits for it any more, and what became of it cannot be learnt any more")


def give_up(connection: Connection, files: Sequence[tuple[int, str]], now: float, sent_before: float) -> set[int]:
    """Files under way, (media id, reason), that a person does not want finished: withdrawn, and their story stays.

    What nothing was sent of goes with them, unless another file waits for it as well. What was sent runs its course; a
    batch that left before `sent_before` has none any more, whoever asks for it: where nobody waits for it, it is over.

    Returns those that were given up; the others were not under way.
    """
    given_up: set[int] = set()
    for media_id, reason in files:
        mine = (media.c.id == media_id, media.c.state.in_(OPEN_MEDIA))
        row = connection.execute(select(media.c.recognition_id).where(*mine)).first()
        if row is None:
            continue
        given_up.add(media_id)
        values = {"state": "withdrawn", "reason": reason, "finished_at": now, "wait_until": 0.0}
        connection.execute(update(media).where(*mine).values(**values))
        if row.recognition_id is not None:
            abandon_unwanted(connection, row.recognition_id, now)
            _end_batches(connection, row.recognition_id, now, sent_before)
    return given_up


def _end_batches(connection: Connection, recognition_id: int, now: float, sent_before: float) -> None:
    travelling = select(batch.c.id).join(batch_item, batch_item.c.batch_id == batch.c.id)
    mine = (batch_item.c.recognition_id == recognition_id, batch_item.c.live)
    old = func.coalesce(batch.c.submitted_at, batch.c.intended_at) < sent_before
    for batch_id in connection.execute(travelling.where(*mine, old)).scalars().all():
        batches.dropped_unwanted(connection, batch_id, NOBODY, now)


def forget_files(connection: Connection, media_ids: Sequence[int]) -> None:
    """Remove files that are not in flight, and each recognition with its result that no other file uses.

    Objects that still wait to be deleted keep their rows, and of their recognition nothing but that it was.
    """
    for media_id in media_ids:
        mine = media.c.id == media_id
        shared = connection.execute(select(media.c.recognition_id).where(mine)).scalar()
        connection.execute(delete(output).where(output.c.media_id == media_id))
        connection.execute(delete(notice).where(notice.c.media_id == media_id))
        connection.execute(delete(media).where(mine))
        if shared is not None:
            _forget_recognition(connection, shared)


def _forget_recognition(connection: Connection, number: int) -> None:
    wanted = select(media.c.id).where(media.c.recognition_id == number).limit(1)
    travelling = select(batch_item.c.id).where(batch_item.c.recognition_id == number, batch_item.c.live).limit(1)
    if connection.execute(wanted).first() or connection.execute(travelling).first():
        return
    connection.execute(delete(result).where(result.c.recognition_id == number))
    promised = reservation.c.recognition_id == number  # its batch is not over yet: what it costs still counts
    connection.execute(update(reservation).where(promised).values(recognition_id=None))
    objects = update(stored_object).where(stored_object.c.recognition_id == number).values(doomed=True)
    if connection.execute(objects).rowcount:
        bare = {"state": "forgotten", "sha256": "", "message": None, "remedy": None, "owner": None}
        connection.execute(update(recognition).where(recognition.c.id == number).values(**bare))
        return
    connection.execute(delete(batch_item).where(batch_item.c.recognition_id == number))
    connection.execute(delete(recognition).where(recognition.c.id == number))


def forget_folder(connection: Connection, path: bytes) -> bool:
    """Where a folder lay is not known any more: where it is found next is right."""
    return connection.execute(delete(folder).where(folder.c.path == path)).rowcount == 1
