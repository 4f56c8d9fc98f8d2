"""Transcripts to texts: one module a format, one line in the table. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dropscribe.model import Document
from dropscribe.render.json import render as render_json
from dropscribe.render.srt import render as render_srt


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of `outputs`: its name, its suffix without dot, and how it is written."""

    name: str
    suffix: str
    render: Callable[[Document], str]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "json": Format("json", "json", render_json),
        "srt": Format("srt", "srt", render_srt),
    }
)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def render_all(document: Document, outputs: Sequence[str]) -> dict[str, bytes]:
    """Every wanted output as UTF-8 without BOM; `outputs` are keys of FORMATS."""
    return {name: _utf8(FORMATS[name].render(document)) for name in outputs}


def _utf8(text: str) -> bytes:
    """JSON escapes can smuggle half a character in; no output may fail for that."""
    return _LONE_SURROGATE.sub("\ufffd", text).encode()
