"""Which names a file's outputs, its source and its error file get: pure. What stands on disk is given.

The whole set of outputs shares one stem; where any of its names belongs to another source, or to nobody we know, the
whole set moves on to the next stem. Nothing that dropscribe did not write is ever replaced.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import count

from dropscribe.ledger.rows import OwedMedia, Owner
from dropscribe.names import error_name, numbered, output_names

LAST_ATTEMPT = 50


class Standing(Enum):
    """What stands at a name: nothing, something of ours that this delivery may replace, or anything else."""

    FREE = "free"
    OURS = "ours"
    FOREIGN = "foreign"


def stems(
    media: OwedMedia, formats: Sequence[tuple[str, str]], reserved: Sequence[bytes]
) -> Iterator[tuple[bytes, ...]]:
    """Sets of output names to try, in order: what an interrupted delivery has reserved first.

    Paths within the outbox; `formats` are (name, suffix).
    """
    salt = salt_of(media.inbox, media.sha256)
    every = (output_names(media.path, formats, attempt, salt) for attempt in range(LAST_ATTEMPT))
    if not reserved:
        return every
    return iter(sorted(every, key=lambda names: not set(names).intersection(reserved)))


def salt_of(inbox: str, sha256: str | None) -> bytes:
    """What the hex digits of the third and further names are made of: the same file always gets the same."""
    return f"{inbox}\0{sha256}".encode()


def standing(media: OwedMedia, owner: Owner | None, found: str | None, keeps: bool) -> Standing:
    """Judge one output name. `found` is the sha256 of what stands there: None for nothing, "" for no regular file.

    `keeps`: the inbox keeps its sources, so a path is one source whatever its content; otherwise other content under
    the same name is another source.
    """
    if owner is not None and owner.media_id != media.media_id and owner.state == "delivering":
        return Standing.FOREIGN
    if found is None:
        return Standing.FREE
    if owner is None or not _same_source(media, owner, keeps) or owner.media_id > media.media_id:
        return Standing.FOREIGN  # what was taken later speaks of the content that stands there now
    return Standing.OURS if found in (owner.sha256, owner.replaces) and found else Standing.FOREIGN


def first_free(name: bytes, taken: Callable[[bytes], bool]) -> bytes:
    """`talk.mp3`, else `talk~2.mp3`, `talk~3.mp3`, ..."""
    return next(candidate for candidate in numbers(name) if not taken(candidate))


def first_free_with_error(name: bytes, taken: Callable[[bytes], bool]) -> bytes:
    """The same for failed/, where the error file's name must be free too."""
    return next(candidate for candidate in numbers(name) if not taken(candidate) and not taken(error_name(candidate)))


def numbers(name: bytes) -> Iterator[bytes]:
    """All names a moved source may get, in order."""
    return (numbered(name, n) for n in count(1))


def _same_source(media: OwedMedia, owner: Owner, keeps: bool) -> bool:
    same_path = (owner.inbox, owner.source) == (media.inbox, media.path)
    return same_path and (keeps or owner.source_sha256 == media.sha256)
