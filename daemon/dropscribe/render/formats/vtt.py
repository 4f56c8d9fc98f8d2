"""WebVTT: voices, a place for further channels, and word times where they are wanted.

Everything is escaped as the specification says, `>` as well, so that `-->` cannot appear in a text.
"""

import html
import re

from dropscribe.render.characters import begins_left_to_right
from dropscribe.render.cues import Cue
from dropscribe.render.edition import Edition
from dropscribe.render.plain import RIGHT_TO_LEFT, plain
from dropscribe.render.stamps import stamp
from dropscribe.render.tokens import Token

NAME = "vtt"
_HEAD = "WEBVTT\n\n"
_KARAOKE = "STYLE\n::cue(:future) {\n  opacity: 0.6;\n}\n\n"
_MARKUP = re.compile(r"<[^>]*>")


def render(edition: Edition) -> str:
    """A header, then cues in order of their starts."""
    words = edition.presentation.subtitles.words
    blocks = [_block(edition, cue, words) for cue in edition.cues(NAME)]
    return _HEAD + (_KARAOKE if words else "") + "".join(blocks)


def meant(edition: Edition) -> str:
    """The text that the file has to show."""
    return "".join(plain(line) for cue in edition.cues(NAME) for line in cue.texts)


def shown(text: str) -> str:
    """The text that a file shows."""
    blocks = text.removeprefix(_HEAD).removeprefix(_KARAOKE).split("\n\n")
    payload = "\n".join(line for block in blocks for line in block.split("\n")[1:])
    return html.unescape(_MARKUP.sub("", payload))


def _block(edition: Edition, cue: Cue, words: bool) -> str:
    lines = _timed(cue) if words else [_escaped(plain(text)) for text in cue.texts]
    if cue.right_to_left:
        lines = [_turned(line, text) for line, text in zip(lines, cue.texts, strict=True)]
    lines = [line for line in lines if line]
    if not lines:
        return ""
    name = edition.name(cue.channel, cue.speaker)
    if name:
        lines[0] = f"<v {_annotation(name)}>{lines[0]}"
        lines[-1] += "</v>"
    return "\n".join([f"{stamp(cue.start_ms)} --> {stamp(cue.end_ms)}{_place(edition, cue)}", *lines, "", ""])


def _place(edition: Edition, cue: Cue) -> str:
    """The second channel speaks at the top of the picture, so that both can be read at once."""
    return " line:10%" if cue.channel in edition.channels[1:] else ""


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _annotation(name: str) -> str:
    return html.escape(plain(name), quote=False)


def _turned(line: str, text: str) -> str:
    return RIGHT_TO_LEFT + line if line and begins_left_to_right(plain(text)) else line


def _timed(cue: Cue) -> list[str]:
    """Each word after the time at which it is spoken: strictly within the cue, strictly later than the one before."""
    latest = cue.start_ms
    lines = []
    for line in cue.lines:
        parts = []
        for token in line:
            if token.spoken and latest < token.start_ms < cue.end_ms:
                parts.append(f"<{stamp(token.start_ms)}>")
                latest = token.start_ms
            parts.append(_spaced(token))
        lines.append("".join(parts).strip())
    return [line if plain(text) else "" for line, text in zip(lines, cue.texts, strict=True)]


def _spaced(token: Token) -> str:
    text = plain(token.text)
    return _escaped(text + (" " if token.text[-1:].isspace() else ""))
