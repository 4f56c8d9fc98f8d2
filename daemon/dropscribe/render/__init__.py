"""Transcripts to texts: one module a format, one line in the table. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from dropscribe.model import Document
from dropscribe.render.edition import FELL_BACK, Edition, Presentation, same_text
from dropscribe.render.formats import ass, json, md, raw, srt, tsv, txt, verbose_json, vtt

__all__ = [
    "FORMATS",
    "Edition",
    "Format",
    "Presentation",
    "Rendering",
    "TextLost",
    "all_outputs",
    "depends_on_content",
    "format_of",
    "render_all",
    "render_with",
    "suffix_of",
]


class TextLost(AssertionError):
    """A file that would not hold its text: a bug, and nothing is written."""


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of `outputs`: its name, its suffix without dot, and how it is written.

    `meant` and `shown`: the text that a file has to hold, and the text that it holds.
    """

    name: str
    suffix: str
    render: Callable[[Edition], str | bytes]
    meant: Callable[[Edition], str] | None = None
    shown: Callable[[str], str] | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "json": Format("json", "json", json.render, json.meant, json.shown),
        "raw": Format("raw", "funasr.json", raw.render),
        "srt": Format("srt", "srt", srt.render, srt.meant, srt.shown),
        "vtt": Format("vtt", "vtt", vtt.render, vtt.meant, vtt.shown),
        "txt": Format("txt", "txt", txt.render, txt.meant, txt.shown),
        "md": Format("md", "md", md.render, md.meant, md.shown),
        "ass": Format("ass", "ass", ass.render, ass.meant, ass.shown),
        "tsv": Format("tsv", "tsv", tsv.render, tsv.meant, tsv.shown),
        "verbose_json": Format(
            "verbose_json", "verbose.json", verbose_json.render, verbose_json.meant, verbose_json.shown
        ),
    }
)
"""No suffix is another's: the outputs of one source never meet."""

_OF_CHANNEL = "-ch"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rendering:
    """Every wanted output as UTF-8 without BOM, and what there is to say about them.

    Keys are names of formats, and `srt-ch0` for the further file of one channel.
    """

    texts: Mapping[str, bytes]
    notes: Sequence[str] = field(default=())


def render_all(document: Document, outputs: Iterable[str], presentation: Presentation | None = None) -> Rendering:
    """Render `outputs`, which are keys of FORMATS.

    Each is read back before it is handed out. Where one does not hold its text, one cue a sentence is written, and a
    note says so; raises TextLost where that does not hold it either.
    """
    return render_with(FORMATS, document, outputs, presentation)


def render_with(
    formats: Mapping[str, Format], document: Document, outputs: Iterable[str], presentation: Presentation | None = None
) -> Rendering:
    """The same with formats of one's own."""
    edition = Edition(document, presentation or Presentation())
    texts: dict[str, bytes] = {}
    for name in outputs:
        texts[name] = _utf8(_checked(formats[name], edition))
        for channel in _channels_apart(edition, name):
            texts[f"{name}{_OF_CHANNEL}{channel}"] = _utf8(_checked(formats[name], edition.of_channel(channel)))
    return Rendering(texts, tuple(dict.fromkeys(edition.notes)))


def suffix_of(output: str) -> str:
    """The suffix, without dot, of a key of `Rendering.texts`: `srt`, and `ch0.srt` for the file of one channel."""
    name, of_channel, channel = output.partition(_OF_CHANNEL)
    return f"ch{channel}.{FORMATS[name].suffix}" if of_channel else FORMATS[name].suffix


def format_of(output: str) -> str:
    """The name of the format of a key of `Rendering.texts`."""
    return output.partition(_OF_CHANNEL)[0]


def depends_on_content(output: str) -> bool:
    """Whether only what was heard tells that there is such an output: the file of one channel."""
    return _OF_CHANNEL in output


def all_outputs(document: Document, outputs: Iterable[str], presentation: Presentation) -> list[str]:
    """The keys that `Rendering.texts` will have."""
    edition = Edition(document, presentation)
    return [
        key
        for name in outputs
        for key in (name, *(f"{name}{_OF_CHANNEL}{channel}" for channel in _channels_apart(edition, name)))
    ]


def _channels_apart(edition: Edition, name: str) -> Sequence[int]:
    """The channels that get a file of their own: where several speak, and the configuration asks for it."""
    if name != srt.NAME or not edition.presentation.subtitles.channel_files or len(edition.channels) < 2:
        return ()
    return [channel for channel in edition.channels if channel is not None]


def _checked(format_: Format, edition: Edition) -> str | bytes:
    content = format_.render(edition)
    if _holds(format_, edition, content):
        return content
    edition.notes.append(f"{FELL_BACK}: the {format_.name} file did not hold the text exactly")
    plainly = Edition(edition.document, edition.presentation, plainly=True)
    content = format_.render(plainly)
    if not _holds(format_, plainly, content):
        raise TextLost(f"the text does not come through as {format_.name}")
    return content


def _holds(format_: Format, edition: Edition, content: str | bytes) -> bool:
    if format_.meant is None or format_.shown is None or isinstance(content, bytes):
        return True
    try:
        return same_text(format_.shown(content), format_.meant(edition))
    except (ValueError, LookupError):
        return False


def _utf8(content: str | bytes) -> bytes:
    """JSON escapes can smuggle half a character in; no output may fail for that."""
    if isinstance(content, bytes):
        return content
    try:
        return content.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", content).encode()
