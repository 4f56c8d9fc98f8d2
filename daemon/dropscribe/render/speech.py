"""A transcript as runs of speech: what one speaker says without a long pause, in one script, token by token.

    segments of a channel -> tokens with times -> closing marks moved back, times in order -> runs

A cue never goes over the border of a run; the end of a sentence is no such border.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from dropscribe.model import Segment, Transcript
from dropscribe.render.characters import cells, has_wide, is_unspaced, leading_closers
from dropscribe.render.languages import languages, scripts
from dropscribe.render.profiles import Script
from dropscribe.render.tokens import Token, tokens

LONG_PAUSE_MS = 1500
"""No cue goes over one."""
_LONGEST_KNOWN = 4
"""Characters of the longest word that is recognised again where it was given in pieces."""


@dataclass(frozen=True, slots=True)
class Run:
    """`sentences[i]` is true where token i begins a sentence; spaces between sentences belong to the token before.

    `until_ms` is when the channel is heard again after it, if it is. `vocabulary` holds the words without spaces that
    the recogniser gave whole anywhere in the channel; elsewhere it may have given them character by character.
    """

    channel: int | None
    speaker: int | None
    script: Script
    language: str
    wide: bool
    tokens: tuple[Token, ...]
    sentences: tuple[bool, ...]
    until_ms: int | None = None
    vocabulary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sentence:
    speaker: int | None
    script: Script
    language: str
    tokens: list[Token]


def runs(transcript: Transcript) -> dict[int | None, list[Run]]:
    """The runs of each channel, in order of time."""
    return {channel: _runs(channel, segments) for channel, segments in by_channel(transcript).items()}


def by_channel(transcript: Transcript) -> dict[int | None, list[Segment]]:
    """The sentences of each channel that say anything, in order."""
    channels: dict[int | None, list[Segment]] = {}
    for segment in transcript.segments:
        if segment.text.strip():
            channels.setdefault(segment.channel, []).append(segment)
    return channels


def _runs(channel: int | None, segments: Sequence[Segment]) -> list[Run]:
    found = list(_divided(channel, _in_order(_mended(_sentences(segments)))))
    starts = [run.tokens[0].start_ms for run in found[1:]]
    words = _vocabulary(segments)
    return [
        replace(run, until_ms=start, vocabulary=words if run.script in ("han", "kana") else frozenset())
        for run, start in zip(found, [*starts, None], strict=True)
    ]


def _vocabulary(segments: Sequence[Segment]) -> frozenset[str]:
    texts = {word.text.strip() for segment in segments for word in segment.words}
    return frozenset(text for text in texts if 2 <= len(text) <= _LONGEST_KNOWN and all(map(is_unspaced, text)))


def _sentences(segments: Sequence[Segment]) -> Iterator[_Sentence]:
    written = scripts(segments)
    spoken = languages(segments, written)
    starts = [segment.start_ms for segment in segments[1:]]
    for segment, script, language, following in zip(segments, written, spoken, [*starts, None], strict=True):
        yield _Sentence(segment.speaker, script, language, tokens(segment, following))


def _mended(sentences: Iterator[_Sentence]) -> list[_Sentence]:
    """Marks and spaces at the head of a sentence go back to the one before; spaces that are missing are put in."""
    found: list[_Sentence] = []
    for sentence in sentences:
        before = found[-1] if found else None
        if before is not None and before.speaker == sentence.speaker:
            _give_back(before.tokens, sentence.tokens)
        if not sentence.tokens:
            continue
        if before is not None:
            _space(before.tokens, sentence.tokens)
        found.append(sentence)
    return found


def _give_back(before: list[Token], after: list[Token]) -> None:
    """A mark that has a time of its own takes it along, where that is near."""
    while after and (length := leading_closers(after[0].text)):
        token, last = after[0], before[-1]
        alone = length == len(token.text)
        end = max(last.end_ms, token.end_ms) if alone and token.end_ms - last.end_ms < LONG_PAUSE_MS else last.end_ms
        before[-1] = last._replace(text=last.text + token.text[:length], end_ms=end)
        if not alone:
            after[0] = token._replace(text=token.text[length:])
            return
        del after[0]


def _space(before: list[Token], after: list[Token]) -> None:
    """Spaces between two sentences stand at the end of the first, where a line that ends there does not show them."""
    text = after[0].text.lstrip() or after[0].text
    spaces = after[0].text[: len(after[0].text) - len(text)]
    last = before[-1].text[-1]
    if not (spaces or last.isspace() or is_unspaced(last) or cells(last) == 2 or is_unspaced(text[0])):
        spaces = " "
    after[0] = after[0]._replace(text=text)
    before[-1] = before[-1]._replace(text=before[-1].text + spaces)


def _in_order(sentences: list[_Sentence]) -> list[_Sentence]:
    """No token begins before the one before it: sentences that overlap are told one after the other."""
    latest = 0
    for sentence in sentences:
        for at, token in enumerate(sentence.tokens):
            if token.start_ms < latest or token.end_ms < token.start_ms:
                start = max(latest, token.start_ms)
                sentence.tokens[at] = token._replace(start_ms=start, end_ms=max(start, token.end_ms))
            latest = max(latest, token.start_ms)
    return sentences


def _divided(channel: int | None, sentences: Sequence[_Sentence]) -> Iterator[Run]:
    for (speaker, script, language), group in groupby(sentences, lambda one: (one.speaker, one.script, one.language)):
        said = list(group)
        every = [token for sentence in said for token in sentence.tokens]
        begins = [at == 0 for sentence in said for at in range(len(sentence.tokens))]
        pauses = [at for at, (a, b) in enumerate(pairwise(every), 1) if b.start_ms - a.end_ms >= LONG_PAUSE_MS]
        for first, last in pairwise([0, *pauses, len(every)]):
            some = every[first:last]
            wide = script in ("han", "kana", "hangul") or any(has_wide(token.text) for token in some)
            yield Run(channel, speaker, script, language, wide, tuple(some), tuple(begins[first:last]))
