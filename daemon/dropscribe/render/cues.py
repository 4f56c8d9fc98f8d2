"""A transcript as subtitle cues: what stands on the screen together, in which lines, and when."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dropscribe.model import Transcript
from dropscribe.render.characters import cells, has_right_to_left
from dropscribe.render.cutting import Cut, cut
from dropscribe.render.measured import Measured, measured
from dropscribe.render.profiles import Limits, Script, Subtitles, limits_for
from dropscribe.render.speech import Run, by_channel, runs
from dropscribe.render.timing import Span, show
from dropscribe.render.tokens import Token

_NO_LIMIT_MS = 1000 * 3_600_000


@dataclass(frozen=True, slots=True)
class Cue:
    """One speaker's words of one channel. `lines` hold their tokens, whose texts joined are the transcript's text."""

    start_ms: int
    end_ms: int
    channel: int | None
    speaker: int | None
    script: Script
    lines: tuple[tuple[Token, ...], ...]
    limits: Limits

    @property
    def texts(self) -> list[str]:
        """The lines as text, without the spaces at their ends."""
        return ["".join([token[0] for token in line]).strip() for line in self.lines]

    @property
    def right_to_left(self) -> bool:
        """Whether all lines are laid out so, one of foreign words as well; not a "Yes." said among Arabic."""
        return self.script == "rtl" and any(map(has_right_to_left, self.texts))


Label = Callable[[int | None, int | None, Script, str], str]
"""What may stand before the first words of (channel, speaker), in a script and a format."""


def cues(transcript: Transcript, subtitles: Subtitles, format_name: str = "", label: Label | None = None) -> list[Cue]:
    """All cues in order of (start, channel); end > start, and no overlap within a channel.

    Room for the label is left in the first line of each run; in every line where channels may interrupt each other.
    """
    channels = runs(transcript)
    several = len(channels) > 1
    return _sorted(
        cue for spoken in channels.values() for cue in _of_channel(spoken, subtitles, format_name, label, several)
    )


def _sorted(found: Iterable[Cue]) -> list[Cue]:
    return sorted(found, key=lambda cue: (cue.start_ms, -1 if cue.channel is None else cue.channel))


def _of_channel(
    spoken: Sequence[Run], subtitles: Subtitles, format_name: str, label: Label | None, several: bool
) -> list[Cue]:
    parts: list[tuple[Measured, Cut, Span]] = []
    for run in spoken:
        limits = limits_for(subtitles, run.script, format_name)
        room = cells(label(run.channel, run.speaker, run.script, format_name)) if label else 0
        narrow = replace(limits, line=limits.line - room) if several else limits
        of = measured(run, narrow, room if narrow is limits else 0)
        parts += [(of, each, _span(of, each, limits)) for each in cut(of, narrow)]
    show([span for _, _, span in parts])
    return [_cue(*part) for part in parts]


def _span(of: Measured, each: Cut, limits: Limits) -> Span:
    tokens, kinds = of.run.tokens[each.first : each.last], of.kinds
    chars = sum([kind[2] for kind in kinds[each.first : each.last]]) - kinds[each.last - 1].tail
    return Span(tokens[0].start_ms, max([token[2] for token in tokens]), chars, limits)


def _cue(of: Measured, each: Cut, span: Span) -> Cue:
    edges = pairwise((each.first, *each.breaks, each.last))
    lines = tuple([of.run.tokens[first:last] for first, last in edges])
    run = of.run
    return Cue(span.start_ms, span.end_ms, run.channel, run.speaker, run.script, lines, span.limits)


def sentence_cues(transcript: Transcript, subtitles: Subtitles) -> list[Cue]:
    """One cue a sentence, as the recogniser gave it: long and wide, but too simple to be wrong."""
    found: list[Cue] = []
    for channel, segments in by_channel(transcript).items():
        limits = replace(limits_for(subtitles, "latin"), longest_ms=_NO_LIMIT_MS)
        spans = [Span(segment.start_ms, segment.end_ms, 0, limits) for segment in segments]
        show(spans)
        for segment, span in zip(segments, spans, strict=True):
            line = (Token(segment.text, span.start_ms, span.end_ms, False),)
            found.append(Cue(span.start_ms, span.end_ms, channel, segment.speaker, "latin", (line,), limits))
    return _sorted(found)
