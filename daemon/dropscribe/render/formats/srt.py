"""SubRip subtitles. The format has no escapes, so text that a player would take for markup is made harmless.

Where the configuration names speakers, a speaker's first cue begins with the name, as Podcasting 2.0 asks. Two voices
share a cue only where `dialog` asks for it.
"""

import re
from collections.abc import Callable, Iterator

from dropscribe.render.characters import begins_left_to_right, cells
from dropscribe.render.cues import Cue
from dropscribe.render.dialog import Showing, alone, dash, dialogs
from dropscribe.render.edition import Edition
from dropscribe.render.plain import JOINER, RIGHT_TO_LEFT, plain
from dropscribe.render.stamps import stamp

NAME = "srt"
Voice = tuple[int | None, int | None]
"""(channel, speaker)."""

_ACTIVE = re.compile(r"<|\\(?=[Nnh])|(?<=\{)\\|\{(?=\\)|--(?=>)")
"""Tags; what players read that turn SRT into ASS; the arrow. Some take `< b && c >` for a tag as well."""
_TIMES = re.compile(r"(\d:)(?=\d+:\d+[.,:]\d)")
"""Two times on a line are enough for some readers to see a new cue."""
_RISKY = re.compile(r"[<\\]|-->|\d:\d+:\d")


def render(edition: Edition) -> str:
    """Numbered cues, each ending in an empty line; nothing at all where nobody spoke."""
    shown = ((showing, lines) for showing, lines in _written(edition, _harmless) if lines)
    return "".join(_block(number, showing, lines) for number, (showing, lines) in enumerate(shown, 1))


def meant(edition: Edition) -> str:
    """The text that the file has to show."""
    return "".join(line for _, lines in _written(edition, plain) for line in lines)


def shown(text: str) -> str:
    """The text that a file shows."""
    return "".join(line for block in text.split("\n\n") for line in block.split("\n")[2:])


def _written(edition: Edition, harmless: Callable[[str], str]) -> Iterator[tuple[Showing, list[str]]]:
    """What stands on the screen together, with its lines as they may stand in a file."""
    cues = edition.cues(NAME)
    together = edition.presentation.subtitles.dialog and not edition.plainly
    before: Voice | None = None
    for showing in dialogs(cues) if together else alone(cues):
        voices = [(cue, lines) for cue in showing.cues if (lines := _visible(cue, harmless))]
        written: list[str] = []
        for cue, lines in voices:
            voice = (cue.channel, cue.speaker)
            label = "" if voice == before else _label(edition, cue)
            written += _begun(cue, lines, dash(cue) if len(voices) > 1 else "", label, harmless)
            before = voice
        before = None if len(voices) > 1 else before
        yield showing, written


def _visible(cue: Cue, harmless: Callable[[str], str]) -> list[str]:
    """The lines of a cue; an empty one would end it."""
    return [line for line in map(harmless, cue.texts) if line]


def _label(edition: Edition, cue: Cue) -> str:
    return plain(edition.label(cue.channel, cue.speaker, cue.script, NAME))


def _begun(cue: Cue, lines: list[str], mark: str, label: str, harmless: Callable[[str], str]) -> list[str]:
    """The lines with what tells whose they are, as far as there is room for it, and the way they are read."""
    fits = label and cells(f"{mark}{label} {lines[0]}") <= cue.limits.line
    lines[0] = f"{mark}{harmless(label)} {lines[0]}" if fits else mark + lines[0]
    if not cue.right_to_left:
        return lines
    return [RIGHT_TO_LEFT + line if begins_left_to_right(line) else line for line in lines]


def _block(number: int, showing: Showing, lines: list[str]) -> str:
    times = f"{stamp(showing.start_ms, ',')} --> {stamp(showing.end_ms, ',')}"
    return "\n".join([str(number), times, *lines, "", ""])


def _harmless(line: str) -> str:
    line = plain(line)
    if not _RISKY.search(line):
        return line
    return _TIMES.sub(_joined, _ACTIVE.sub(_joined, line))


def _joined(found: re.Match[str]) -> str:
    return found[0] + JOINER
