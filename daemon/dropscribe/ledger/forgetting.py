"""What is removed from the ledger because a person wants it gone."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from dropscribe.ledger.schema import (
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
