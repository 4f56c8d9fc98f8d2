"""Sentences joined to paragraphs, for texts that are read rather than shown."""

from collections.abc import Iterator
from dataclasses import dataclass

from dropscribe.model import Segment
from dropscribe.render.characters import cells, is_unspaced
from dropscribe.render.edition import Edition
from dropscribe.render.plain import plain

PAUSE_MS = 2000
"""From here on a pause begins a paragraph."""
SENTENCES = 5
CHARACTERS = 600
"""Where one is long enough, by either."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What one speaker says without a long pause, on one line."""

    start_ms: int
    name: str | None
    text: str


def paragraphs(edition: Edition) -> list[Paragraph]:
    """In order of time: a new one at another speaker, after a pause, and where one becomes long."""
    return [_paragraph(edition, group) for group in _groups(edition) if group]


def _groups(edition: Edition) -> Iterator[list[Segment]]:
    group: list[Segment] = []
    for segment in edition.segments:
        if not plain(segment.text):
            continue
        if group and _ends(group, segment):
            yield group
            group = []
        group.append(segment)
    yield group


def _ends(group: list[Segment], following: Segment) -> bool:
    last = group[-1]
    if (last.channel, last.speaker) != (following.channel, following.speaker):
        return True
    long = len(group) >= SENTENCES or sum(len(segment.text) for segment in group) >= CHARACTERS
    return long or following.start_ms - last.end_ms >= PAUSE_MS


def _paragraph(edition: Edition, group: list[Segment]) -> Paragraph:
    text = ""
    for segment in group:
        more = plain(segment.text)
        text += more if not text or tight(text[-1], more[0]) else f" {more}"
    first = group[0]
    return Paragraph(first.start_ms, edition.name(first.channel, first.speaker), text)


def tight(before: str, after: str) -> bool:
    """Whether no space stands between two sentences: next to Han, kana, Thai and other wide characters."""
    return is_unspaced(before) or is_unspaced(after) or cells(before) == 2
