"""Markdown for people: facts of the recording, then paragraphs with their times and speakers."""

import json
import re

from dropscribe.render.edition import Edition
from dropscribe.render.paragraphs import Paragraph, paragraphs
from dropscribe.render.plain import plain
from dropscribe.render.stamps import clock

NAME = "md"
_HEADS = re.compile(r"^\*\*\[\d+:\d\d:\d\d\] ?(.*?)\*\* ", re.M)
_SHOWN = re.compile(r"\\([\\`*_\[\]<>&~|$])")
_MARKUP = re.compile(r"([\\`*_\[\]<>&~|$])")


def render(edition: Edition) -> str:
    """Front matter (YAML), then `**[00:00:15] Anna:** ...`."""
    return "\n".join([_front(edition), *map(_written, paragraphs(edition))])


def _front(edition: Edition) -> str:
    document, duration = edition.document, edition.document.transcript.duration_ms
    facts = {
        "title": plain(document.source_name),
        "duration": None if duration is None else clock(round(duration / 1000)),
        "model": document.model,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in facts.items() if value]
    return "\n".join(["---", *lines, "---", ""])


def _written(paragraph: Paragraph) -> str:
    name = f" {_escaped(paragraph.name)}:" if paragraph.name else ""
    return f"**[{clock(paragraph.start_ms // 1000)}]{name}** {_escaped(paragraph.text)}\n"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)


def meant(edition: Edition) -> str:
    """The text that the file has to hold, with its names."""
    return "".join(f"{one.name}:{one.text}" if one.name else one.text for one in paragraphs(edition))


def shown(text: str) -> str:
    """The text that a file holds."""
    return _SHOWN.sub(r"\1", _HEADS.sub(r"\1", text.partition("\n---\n")[2]))
