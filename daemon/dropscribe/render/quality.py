"""How good subtitles are: which cues are clean, and what is wrong with the others.

Any cues of a transcript can be judged, whoever cut them: they are laid over its tokens by counting letters.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import Final

from dropscribe.model import Transcript
from dropscribe.render.borders import border_costs
from dropscribe.render.characters import cells
from dropscribe.render.cues import Cue
from dropscribe.render.kinds import Kind, kinds
from dropscribe.render.penalties import tears
from dropscribe.render.profiles import Limits, Subtitles, limits_for
from dropscribe.render.speech import Run, runs
from dropscribe.render.tokens import Token

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "wide": "a line too wide",
        "lines": "too many lines",
        "fast": "too fast to read",
        "short": "too short",
        "long": "too long",
        "overlap": "over the next cue",
        "mixed": "two speakers in one cue",
        "crumb": "a word left alone",
        "straddle": "a word or two of the next sentence",
        "border": "ends inside a name, number, word or phrase",
        "line": "breaks a line inside one",
    }
)
"""What keeps a cue from being clean."""

CRUMB_CELLS: Final = 6
"""In Han and kana, what is no wider counts as a word left alone; elsewhere one word does."""
PAUSE_MS: Final = 500
"""Between two such pauses a word may stand alone."""
COVERED_MS: Final = 100
"""How far outside its cue a word may sound."""

Reference = Callable[[str], set[int]]
"""Where words begin in a text, as another program has it: offsets."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One cue as a reader finds it in a file."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass
class Report:
    """`faulty` counts cues by fault; `borders` and `breaks` those of cues and of lines, `bad_*` the torn ones."""

    cues: int = 0
    clean: int = 0
    borders: int = 0
    bad_borders: int = 0
    breaks: int = 0
    bad_breaks: int = 0
    words: int = 0
    covered: int = 0
    shown_ms: int = 0
    span_ms: int = 0
    gaps: int = 0
    faulty: Counter[str] = field(default_factory=Counter)
    unclean: list[tuple[Shown, tuple[str, ...]]] = field(default_factory=list)

    @property
    def clean_share(self) -> float:
        """Per cent; nothing said is nothing wrong."""
        return 100 * self.clean / self.cues if self.cues else 100.0

    @property
    def a_minute(self) -> float:
        """Cues in a minute of what was heard."""
        return 60_000 * self.cues / self.span_ms if self.span_ms else 0.0

    def add(self, other: "Report") -> None:
        """Another channel of the same file."""
        for name in ("cues", "clean", "borders", "bad_borders", "breaks", "bad_breaks", "words", "covered", "shown_ms"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.gaps += other.gaps
        self.span_ms = max(self.span_ms, other.span_ms)
        self.faulty.update(other.faulty)
        self.unclean += other.unclean


@dataclass(frozen=True)
class _Script:
    """A channel's tokens in a row; `ends[i]` counts the letters up to and with token i."""

    tokens: Sequence[Token]
    kinds: Sequence[Kind]
    runs: Sequence[Run]
    limits: Sequence[Limits]
    penalties: Sequence[float]
    """Of the border before each token; below 0 where a run begins."""
    sentences: Sequence[bool]
    ends: Sequence[int]
    words: frozenset[int] | None
    """Offsets in letters at which a word begins, where a reference tells."""


def shown_by_channel(cues: Iterable[Cue]) -> dict[int | None, list[Shown]]:
    """Our own cues as a reader would find them."""
    found: dict[int | None, list[Shown]] = {}
    for cue in cues:
        found.setdefault(cue.channel, []).append(Shown(cue.start_ms, cue.end_ms, tuple(cue.texts)))
    return found


def judge(
    transcript: Transcript,
    shown: Mapping[int | None, Sequence[Shown]],
    subtitles: Subtitles,
    format_name: str = "",
    reference: Reference | None = None,
) -> Report:
    """Judge the cues of each channel against the limits of `subtitles`.

    With a `reference`, what is inside a word is its to say; without one, the lexicon's.
    """
    report = Report()
    for channel, found in runs(transcript).items():
        script = _script(found, subtitles, format_name, reference)
        report.add(_judge(script, shown.get(channel, ())))
    return report


def _script(found: Sequence[Run], subtitles: Subtitles, format_name: str, reference: Reference | None) -> _Script:
    tokens: list[Token] = []
    of_kinds: list[Kind] = []
    of_runs: list[Run] = []
    penalties: list[float] = []
    limits: list[Limits] = []
    for run in found:
        of = kinds(run)
        tokens += run.tokens
        of_kinds += of
        of_runs += [run] * len(run.tokens)
        limits += [limits_for(subtitles, run.script, format_name)] * len(run.tokens)
        penalties += [-1.0, *border_costs(run, of, lexicon=reference is None)[1][1:-1]]
    sentences = [begins for run in found for begins in run.sentences]
    ends = list(accumulate(map(_letters, (token.text for token in tokens))))
    words = None if reference is None else _word_starts(found, reference)
    return _Script(tokens, of_kinds, of_runs, limits, penalties, sentences, ends, words)


def _letters(text: str) -> int:
    return len("".join(text.split()))


def _word_starts(found: Iterable[Run], reference: Reference) -> frozenset[int]:
    starts: set[int] = set()
    offset = 0
    for run in found:
        text = "".join("".join(token.text for token in run.tokens).split())
        starts.update(offset + at for at in reference(text))
        offset += len(text)
    return frozenset(starts)


def _judge(script: _Script, shown: Sequence[Shown]) -> Report:
    report = Report(cues=len(shown), words=len(script.tokens))
    if not shown or not script.tokens:
        return report
    report.span_ms = shown[-1].end_ms - shown[0].start_ms
    offset, first = 0, 0
    for at, cue in enumerate(shown):
        inner: list[int] = []
        for line in cue.lines:
            offset += _letters(line)
            inner.append(offset)
        last = min(bisect_left(script.ends, offset) + 1, len(script.tokens))
        last = max(last, first + 1) if first < len(script.tokens) else last
        following = shown[at + 1] if at + 1 < len(shown) else None
        faults = set(_faults(script, cue, following, first, last))
        report.breaks += len(inner) - 1
        bad = sum(_is_bad(script, border) for border in inner[:-1])
        report.bad_breaks += bad
        report.borders += following is not None
        torn = following is not None and _is_bad(script, offset)
        report.bad_borders += torn
        faults |= ({"line"} if bad else set()) | ({"border"} if torn else set())
        report.faulty.update(faults)
        report.clean += not faults
        if faults:
            report.unclean.append((cue, tuple(sorted(faults))))
        report.shown_ms += cue.end_ms - cue.start_ms
        report.gaps += (
            following is not None and 0 <= following.start_ms - cue.end_ms < script.limits[min(first, last - 1)].gap_ms
        )
        report.covered += _covered(script.tokens[first:last], cue)
        first = last if script.ends[last - 1] <= offset else last - 1
    return report


def _is_bad(script: _Script, offset: int) -> bool:
    """Whether what ends after so many letters is torn from what follows."""
    at = bisect_left(script.ends, offset)
    if at >= len(script.tokens) - 1:
        return False
    if script.ends[at] != offset:
        inside = script.kinds[at]
        return inside.width <= script.limits[at].line
    if script.penalties[at + 1] < 0:
        return False
    if script.kinds[at].glued and script.words is not None and offset not in script.words:
        return True
    return tears(script.penalties[at + 1])


def _faults(script: _Script, cue: Shown, following: Shown | None, first: int, last: int) -> Iterable[str]:
    run, limits = script.runs[min(first, last - 1)], script.limits[min(first, last - 1)]
    duration = cue.end_ms - cue.start_ms
    widths = [cells(line.strip(), run.wide or None) for line in cue.lines]
    if max(widths, default=0) > limits.line:
        yield "wide"
    if len(cue.lines) > limits.lines:
        yield "lines"
    if 1000 * _chars(cue, run) > limits.cps * duration + 1:
        yield "fast"
    if duration < limits.shortest_ms:
        yield "short"
    if duration > limits.longest_ms + 10:
        yield "long"
    if following is not None and following.start_ms < cue.end_ms:
        yield "overlap"
    if len({one.speaker for one in script.runs[first:last]}) > 1:
        yield "mixed"
    if _is_crumb(script, first, last, sum(widths), run):
        yield "crumb"
    begins = [at for at in range(first + 1, last) if script.sentences[at] or _ended(script, at)]
    if begins and last - begins[-1] <= 2 and not _whole(script, last):
        yield "straddle"


def _chars(cue: Shown, run: Run) -> float:
    """Characters to read; the end of a line counts as the space that it stands for."""
    lines = [line.strip() for line in cue.lines]
    if run.script in ("han", "kana", "hangul"):
        return sum(cells(line, True) for line in lines) / 2
    return sum(cells(line, run.wide) for line in lines) + len(lines) - 1


def _ended(script: _Script, at: int) -> bool:
    return script.kinds[at - 1].ends_sentence and not script.kinds[at].lower


def _whole(script: _Script, at: int) -> bool:
    """Whether a sentence or a run begins at a token, or all is said."""
    return at >= len(script.tokens) or script.sentences[at] or _ended(script, at) or script.penalties[at] < 0


def _is_crumb(script: _Script, first: int, last: int, width: int, run: Run) -> bool:
    small = width <= CRUMB_CELLS if run.script in ("han", "kana") else last - first == 1
    if not small or ((first == 0 or _whole(script, first)) and _whole(script, last)):
        return False
    tokens = script.tokens
    before = tokens[first].start_ms - tokens[first - 1].end_ms if first else PAUSE_MS
    after = tokens[last].start_ms - tokens[last - 1].end_ms if last < len(tokens) else PAUSE_MS
    return min(before, after) < PAUSE_MS


def _covered(tokens: Sequence[Token], cue: Shown) -> int:
    low, high = cue.start_ms - COVERED_MS, cue.end_ms + COVERED_MS
    return sum(low <= token.start_ms and token.end_ms <= high for token in tokens)
