"""SubRip subtitles. The format has no escapes, so text that a player would take for markup is made harmless."""

import re

from dropscribe.model import Document
from dropscribe.render.cues import Cue, cues

_JOINER = "\u2060"  # of no width: it only keeps players from seeing markup or a time line
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TAG = re.compile(r"<(?=[^\W\d_]|[/!])")


def render(document: Document) -> str:
    """Numbered cues, each ending in an empty line; nothing at all where nobody spoke."""
    shown = ((cue, lines) for cue in cues(document.transcript) if (lines := _lines(cue)))
    return "".join(_block(number, cue, lines) for number, (cue, lines) in enumerate(shown, 1))


def _block(number: int, cue: Cue, lines: list[str]) -> str:
    return "\n".join([str(number), f"{_time(cue.start_ms)} --> {_time(cue.end_ms)}", *lines, "", ""])


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d},{ms:03d}"


def _lines(cue: Cue) -> list[str]:
    """The cue's lines as they may stand in a file; an empty line would end the cue."""
    return [line for line in map(_harmless, cue.lines) if line]


def _harmless(line: str) -> str:
    line = _CONTROL.sub(" ", line).strip()
    return _TAG.sub("<" + _JOINER, line).replace("-->", "--" + _JOINER + ">")
