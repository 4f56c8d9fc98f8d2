"""What `plan` asks: which contents are paid for or under way to be, and what was taken and is not paid for yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from dropscribe.ledger.intake import BEFORE_SUBMIT, Content
from dropscribe.ledger.schema import DEAD_RECOGNITION, media, recognition

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A file that was taken and whose recognition was not submitted yet."""

    path: bytes
    size: int
    content: Content


def paid(connection: Connection, contents: Sequence[Content]) -> set[Content]:
    """Those for which nothing will be paid any more: answered and kept, or submitted."""
    found: set[Content] = set()
    columns = (recognition.c.sha256, recognition.c.model, recognition.c.settings, recognition.c.preparation)
    for start in range(0, len(contents), AT_ONCE):
        some = [content[0] for content in contents[start : start + AT_ONCE]]
        query = select(*columns).where(
            recognition.c.sha256.in_(some), recognition.c.state.not_in((*DEAD_RECOGNITION, *BEFORE_SUBMIT))
        )
        found.update((row[0], row[1], row[2], row[3]) for row in connection.execute(query))
    return found.intersection(contents)


def unpaid(connection: Connection, inbox: str) -> Iterator[Unpaid]:
    """What an inbox has given that is still to be paid for, oldest first."""
    recipe = (recognition.c.model, recognition.c.settings, recognition.c.preparation)
    query = (
        select(media.c.path, media.c.size, recognition.c.sha256, *recipe)
        .join(recognition, recognition.c.id == media.c.recognition_id)
        .where(media.c.inbox == inbox, media.c.state == "waiting", recognition.c.state.in_(BEFORE_SUBMIT))
        .order_by(media.c.id)
    )
    for row in connection.execute(query):
        yield Unpaid(row.path, row.size, (row.sha256, row.model, row.settings, row.preparation))
