"""SubRip subtitles. The format has no escapes, so text that a player would take for markup is made harmless.

Where the configuration names speakers, a speaker's first cue begins with the name, as Podcasting 2.0 asks.
"""

import re
from collections.abc import Callable, Iterator

from dropscribe.render.characters import begins_left_to_right, cells
from dropscribe.render.cues import Cue
from dropscribe.render.edition import Edition
from dropscribe.render.plain import JOINER, RIGHT_TO_LEFT, plain
from dropscribe.render.stamps import stamp

NAME = "srt"
_ACTIVE = re.compile(r"<|\\(?=[Nnh])|(?<=\{)\\|\{(?=\\)|--(?=>)")
"""Tags; what players read that turn SRT into ASS; the arrow. Some take `< b && c >` for a tag as well."""
_TIMES = re.compile(r"(\d:)(?=\d+:\d+[.,:]\d)")
"""Two times on a line are enough for some readers to see a new cue."""
_RISKY = re.compile(r"[<\\]|-->|\d:\d+:\d")


def render(edition: Edition) -> str:
    """Numbered cues, each ending in an empty line; nothing at all where nobody spoke."""
    shown = ((cue, lines) for cue, lines in _labelled(edition, _harmless) if lines)
    return "".join(_block(number, cue, lines) for number, (cue, lines) in enumerate(shown, 1))


def meant(edition: Edition) -> str:
    """The text that the file has to show."""
    return "".join(line for _, lines in _labelled(edition, plain) for line in lines)


def shown(text: str) -> str:
    """The text that a file shows."""
    return "".join(line for block in text.split("\n\n") for line in block.split("\n")[2:])


def _labelled(edition: Edition, harmless: Callable[[str], str]) -> Iterator[tuple[Cue, list[str]]]:
    """Each cue with its lines as they may stand in a file; an empty one would end the cue."""
    before: tuple[int | None, int | None] | None = None
    for cue in edition.cues(NAME):
        lines = [line for line in map(harmless, cue.texts) if line]
        if lines and before != (cue.channel, cue.speaker):
            label = plain(edition.label(cue.channel, cue.speaker, cue.script, NAME))
            if label and cells(f"{label} {lines[0]}") <= cue.limits.line:
                lines[0] = f"{harmless(label)} {lines[0]}"
            before = (cue.channel, cue.speaker)
        if cue.script == "rtl":
            lines = [RIGHT_TO_LEFT + line if begins_left_to_right(line) else line for line in lines]
        yield cue, lines


def _block(number: int, cue: Cue, lines: list[str]) -> str:
    return "\n".join([str(number), f"{stamp(cue.start_ms, ',')} --> {stamp(cue.end_ms, ',')}", *lines, "", ""])


def _harmless(line: str) -> str:
    line = plain(line)
    if not _RISKY.search(line):
        return line
    return _TIMES.sub(_joined, _ACTIVE.sub(_joined, line))


def _joined(found: re.Match[str]) -> str:
    return found[0] + JOINER
