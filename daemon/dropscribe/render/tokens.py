"""A sentence cut into tokens that carry times: what a line is made of, and what is never cut."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from dropscribe.model import Segment
from dropscribe.render.align import Place, places
from dropscribe.render.characters import atoms, cells

_LONGEST_WORD = 16
"""Characters of the longest word without spaces that is kept whole: some answers give half a sentence as one word."""


class Token(NamedTuple):
    """A piece of text with the spaces around it; all tokens of a sentence joined are its text.

    `spoken`: its time comes from a word; otherwise it is reckoned from its neighbours and its width.
    """

    text: str
    start_ms: int
    end_ms: int
    spoken: bool = True


Times = tuple[int, int] | None


def tokens(segment: Segment, following_ms: int | None = None) -> list[Token]:
    """The segment's text in tokens whose times never go back; without usable words the time is spread by width.

    `following_ms` is when the next sentence of the channel begins, if one does.
    """
    text = segment.text
    if not text:
        return []
    found = places(segment, following_ms)
    pieces = _pieces(text, found)
    times = _times(pieces, found)
    spoken = [
        Token(text[begin:end], *(time or (0, 0)), time is not None)
        for (begin, end), time in zip(pieces, times, strict=True)
    ]
    return spoken if None not in times else _filled(spoken, segment)


def _pieces(text: str, found: Sequence[Place]) -> list[tuple[int, int]]:
    """The atoms of the text, joined where a word goes over the border and holds no space there."""
    pieces: list[tuple[int, int]] = []
    at, last = 0, len(found)
    for begin, end in atoms(text):
        while at < last and found[at].end <= begin:
            at += 1
        inside = at < last and found[at].begin < begin and not text[begin - 1].isspace()
        if inside and pieces and end - pieces[-1][0] <= _LONGEST_WORD:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((begin, end))
    return pieces


def _times(pieces: Sequence[tuple[int, int]], found: Sequence[Place]) -> list[Times]:
    """The time of each piece from the words in it; a word over several pieces is shared out by characters.

    A word that begins within the time of the one before it does not take its pieces back behind that one's.
    """
    times: list[Times] = []
    at, last, latest = 0, len(found), 0
    for begin, end in pieces:
        start = finish = -1
        while at < last and found[at].begin < end:
            place = found[at]
            over = place.end > end
            first, final = (place[2], place[3]) if not over and place[0] >= begin else _share(place, begin, end)
            start = first if start < 0 else start
            finish = max(finish, final)
            if over:
                break
            at += 1
        if start >= 0:
            latest = max(start, latest)
        times.append(None if start < 0 else (latest, max(latest, finish)))
    return times


def _share(place: Place, begin: int, end: int) -> tuple[int, int]:
    a_character = (place.end_ms - place.start_ms) / (place.end - place.begin)
    first, final = max(begin, place.begin) - place.begin, min(end, place.end) - place.begin
    return place.start_ms + round(first * a_character), place.start_ms + round(final * a_character)


def _filled(spoken: Sequence[Token], segment: Segment) -> list[Token]:
    """A run without times gets what lies between its neighbours, spread by width."""
    filled: list[Token] = []
    for run, before, after in _gaps(spoken):
        finish = after.start_ms if after else max(segment.end_ms, before.end_ms if before else 0)
        start = min(before.end_ms if before else segment.start_ms, finish)
        filled += spread([token.text for token in run], start, finish) if run else []
        filled += [after] if after else []
    return filled


def _gaps(spoken: Sequence[Token]) -> Iterator[tuple[list[Token], Token | None, Token | None]]:
    """Each run of tokens without times (maybe an empty one), with the spoken tokens on either side of it."""
    run: list[Token] = []
    before: Token | None = None
    for token in spoken:
        if not token.spoken:
            run.append(token)
            continue
        yield run, before, token
        run, before = [], token
    yield run, before, None


def spread(texts: Sequence[str], start_ms: int, end_ms: int, spoken: bool = False) -> list[Token]:
    """Tokens that share a time by their widths."""
    widths = [max(1, cells(text.strip())) for text in texts]
    total = sum(widths)
    edges = [start_ms + (end_ms - start_ms) * sofar // total for sofar in accumulate(widths, initial=0)]
    return [Token(text, *times, spoken) for text, times in zip(texts, pairwise(edges), strict=True)]
