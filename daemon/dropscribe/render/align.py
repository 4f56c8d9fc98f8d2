"""Where the recogniser's words stand in its sentence.

The text is the truth; words only supply times. Real answers put spaces before words, after words, after punctuation,
several words into one, or give punctuation words of its own: only searching the words in the text fits them all.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from dropscribe.model import Segment, Word
from dropscribe.render.characters import is_unspaced

_WINDOW = 24
"""How many characters a word may be ahead of the last one found."""
_ENOUGH = 0.6
"""Below this share of the letters found in the text, the words are another text and are not used."""
_STRAY_MS = 2000
"""A word that much outside its sentence is noise; one that is not in the text lengthens its neighbour by less."""
_AT_ONCE_MS = 150
_LETTER = re.compile(r"[^\W_]")


class Place(NamedTuple):
    """A word's offsets in the sentence, and when it was said."""

    begin: int
    end: int
    start_ms: int
    end_ms: int


def fits(segment: Segment) -> bool:
    """Whether `places` finds any: the words are those of the text."""
    words = _words(segment)
    return bool(words) and _spans(segment.text, words) is not None


def places(segment: Segment, following_ms: int | None = None) -> list[Place]:
    """The words that are in the text, in order; none where the words are not the text's.

    `following_ms` is when the next sentence begins, if one does.
    """
    words = _words(segment)
    spans = _spans(segment.text, words) if words else None
    return [] if spans is None else _with_times(segment, words, spans, following_ms)


Span = tuple[int, int] | None


def _words(segment: Segment) -> list[Word]:
    return [word for word in segment.words if word.text and not word.text.isspace()]


def _spans(text: str, words: Sequence[Word]) -> Sequence[Span] | None:
    """The offsets of each word that is there; None where they are too few to be the words of this text."""
    spans = _exactly(text, words)
    if spans is not None and _LETTER.search(text, spans[-1][1]) is None:
        return spans
    folded = _folded(text, words)
    covered = sum(len(_LETTER.findall(text, *span)) for span in folded if span is not None)
    return folded if any(folded) and covered >= _ENOUGH * len(_LETTER.findall(text)) else None


def _exactly(text: str, words: Sequence[Word]) -> list[tuple[int, int]] | None:
    """Each word where the one before ends, with nothing but marks between; None where a single one is not there."""
    at, found = 0, list[tuple[int, int]]()
    for word in words:
        needle = word.text.strip()
        length = len(needle)
        begin = text.find(needle, at, at + length + _WINDOW)
        if begin != at and (begin < 0 or _LETTER.search(text, at, begin)):
            return None
        at = begin + length
        found.append((begin, at))
    return found


def _folded(text: str, words: Sequence[Word]) -> list[Span]:
    """The same without regard to case, width and spaces; a word that is not there leaves no more than itself out."""
    squeezed, origin = _squeezed(text)
    needles = [_squeezed(word.text)[0] for word in words]
    at, found = 0, list[Span]()
    for number, needle in enumerate(needles):
        following = needles[number + 1] if number + 1 < len(needles) else ""
        begin, length = _seek(squeezed, needle, at, following)
        if begin < 0 or not length:
            found.append(None)
            continue
        at = begin + length
        found.append((origin[begin], origin[at - 1] + 1))
    return found


def _squeezed(text: str) -> tuple[str, list[int]]:
    """Folded text without spaces, and the offset in `text` that each of its characters comes from."""
    parts, origin = [], list[int]()
    for offset, character in enumerate(text):
        folded = _fold(character)
        parts.append(folded)
        origin += [offset] * len(folded)
    return "".join(parts), origin


@lru_cache(maxsize=8192)
def _fold(character: str) -> str:
    return "".join(unicodedata.normalize("NFKC", character).casefold().split())


def _seek(text: str, needle: str, at: int, following: str) -> tuple[int, int]:
    """(offset, length) of the word, or of the word without the marks around it; (-1, 0) where it is not near."""
    for wanted in dict.fromkeys((needle, _bare(needle))):
        begin = text.find(wanted, at, at + len(wanted) + _WINDOW) if wanted else -1
        while begin >= 0:
            if begin == at or not _LETTER.search(text, at, begin) or _believable(text, begin, wanted, following):
                return begin, len(wanted)
            begin = text.find(wanted, begin + 1, at + len(wanted) + _WINDOW)
    return -1, 0


def _believable(text: str, begin: int, needle: str, following: str) -> bool:
    """Whether letters may have been passed over for this: a short word is found inside many others."""
    if not _LETTER.search(needle):
        return False
    if len(needle) >= 4 or (len(needle) >= 2 and is_unspaced(needle[0])):
        return True
    rest = _bare(text[begin + len(needle) : begin + len(needle) + len(following) + 4])
    return bool(following) and rest.startswith(_bare(following)[:4])


def _bare(text: str) -> str:
    begin, end = 0, len(text)
    while begin < end and not text[begin].isalnum():
        begin += 1
    while end > begin and not text[end - 1].isalnum():
        end -= 1
    return text[begin:end]


def _with_times(
    segment: Segment, words: Sequence[Word], spans: Sequence[Span], following_ms: int | None
) -> list[Place]:
    """Times repaired: none absurd, none going back, none of no length beside free time."""
    found: list[Place] = []
    early: int | None = None
    starts = [word.start_ms for word in words]
    for number, (word, span) in enumerate(zip(words, spans, strict=True)):
        after = starts[number + 1] if number + 1 < len(starts) else following_ms
        start, end = _clipped(word, after)
        if span is not None:
            if early is not None and 0 <= start - early <= _STRAY_MS:
                start, early = early, None
            found.append(Place(*span, *_within(segment, start, end)))
        elif found:
            if 0 < end - found[-1].end_ms <= _STRAY_MS:
                found[-1] = found[-1]._replace(end_ms=end)
        elif early is None:
            early = start
    return _unfolded(_in_order(found), after_ms=following_ms)


def _clipped(word: Word, following_ms: int | None) -> tuple[int, int]:
    """A word that "lasts" minutes hides a silence: before it where the next word follows at once, else after it."""
    start, end = word.start_ms, word.end_ms
    if end - start <= 1500:
        return start, max(start, end)
    longest = min(1500 + 300 * len(word.text.strip()), 6500)
    if end - start <= longest:
        return start, end
    if following_ms is not None and following_ms - end < _AT_ONCE_MS:
        return end - longest, end
    return start, start + longest


def _within(segment: Segment, start: int, end: int) -> tuple[int, int]:
    """One absurd word time must not drag the rest of its sentence along."""
    low, high = segment.start_ms - _STRAY_MS, segment.end_ms + _STRAY_MS
    if segment.end_ms <= segment.start_ms or (low <= start and end <= high):
        return start, end
    return min(max(start, segment.start_ms), segment.end_ms), min(max(end, segment.start_ms), segment.end_ms)


def _in_order(found: list[Place]) -> list[Place]:
    """Starts that never go back: one that is later than all that follow is the one that is wrong."""
    if all(one.start_ms <= next_one.start_ms for one, next_one in pairwise(found)):
        return found
    latest = found[-1].start_ms
    ordered = list(found)
    for at in range(len(found) - 2, 0, -1):
        if ordered[at].start_ms > latest and found[at - 1].start_ms <= latest:
            ordered[at] = ordered[at]._replace(start_ms=latest, end_ms=max(latest, min(ordered[at].end_ms, latest)))
        latest = ordered[at].start_ms
    last = ordered[0].start_ms
    for at, place in enumerate(ordered):
        last = max(last, place.start_ms)
        ordered[at] = place._replace(start_ms=last, end_ms=max(last, place.end_ms))
    return ordered


def _unfolded(found: list[Place], after_ms: int | None) -> list[Place]:
    """Words of no length share what is free up to the next word, at most 200 ms each."""
    at = 0
    while at < len(found):
        stop = at
        while stop < len(found) and found[stop].end_ms <= found[stop].start_ms == found[at].start_ms:
            stop += 1
        if stop == at:
            at += 1
            continue
        start = found[at].start_ms
        limit = found[stop].start_ms if stop < len(found) else after_ms
        share = 200 if limit is None else min(200, max(0, limit - start) // (stop - at))
        for number in range(at, stop):
            begin = start + share * (number - at)
            found[number] = found[number]._replace(start_ms=begin, end_ms=begin + share)
        at = stop
    return found
