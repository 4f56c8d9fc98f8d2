"""dropscribe's own transcript: everything that is known, what is not known is null.

`transcript.schema.json` beside the package's modules describes it. Additions keep the number, changes raise it.
"""

import json
import re
from json.encoder import encode_basestring as _quoted
from typing import Any

from dropscribe.model import Document, Segment, Transcript, Word
from dropscribe.render.align import fits
from dropscribe.render.edition import Edition
from dropscribe.render.listing import head, items

NAME = "json"
SCHEMA = "dropscribe.transcript/1"
_LATEST_MS = 100 * 24 * 3600 * 1000
_SEGMENTS = '\n "segments": ['
_FAMILY = SCHEMA.partition("/")[0] + "/"


def render(edition: Edition) -> str:
    """One line a segment's facts and one a word, so that a person can read and compare it."""
    document = edition.document
    head = {
        "schema": SCHEMA,
        "source": {
            "name": document.source_name,
            "size": document.size,
            "sha256": document.sha256,
            "duration_ms": document.transcript.duration_ms,
        },
        "recognition": {
            "model": document.model,
            "settings": dict(document.settings),
            "task_id": document.task_id,
        },
        "text": document.transcript.text,
    }
    segments = ",".join(["\n  " + _segment(edition, segment) for segment in edition.segments])
    opened = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    return f'{opened},\n "segments": [{segments}{_close(segments)}]\n}}\n'


def meant(edition: Edition) -> str:
    """The text that the file has to hold."""
    return "".join(segment.text for segment in edition.segments)


def shown(text: str) -> str:
    """The text that a file holds."""
    head(text, _SEGMENTS)
    return "".join(segment["text"] for segment in items(text, _SEGMENTS))


def _segment(edition: Edition, segment: Segment) -> str:
    facts = {
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "channel": segment.channel,
        "speaker": segment.speaker,
        "language": segment.language,
        "text": segment.text,
    } | _more(edition, segment)
    words = ",".join(map(_word, segment.words))
    return f'{json.dumps(facts, ensure_ascii=False)[:-1]}, "words": [{words}{_close(words, " ")}]}}'


def _more(edition: Edition, segment: Segment) -> dict[str, Any]:
    """What is there only where it says something."""
    name = edition.given_name(segment.channel, segment.speaker)
    found: dict[str, Any] = {} if name is None else {"speaker_name": name}
    if segment.text.strip() and not fits(segment):
        found["interpolated"] = True
    return found


def _word(word: Word) -> str:
    """By hand, because there are a hundred thousand of them in a day's recording."""
    text, punctuation = _quoted(word.text), _quoted(word.punctuation)
    return (
        f'\n   {{"start_ms": {word.start_ms}, "end_ms": {word.end_ms}, "text": {text}, "punctuation": {punctuation}}}'
    )


def _close(items: str, indent: str = "") -> str:
    return f"\n {indent}" if items else ""


def read_identity(content: str | bytes) -> tuple[str, str, dict[str, Any]] | None:
    """(sha256, model, settings) of a transcript that dropscribe wrote; None for anything else."""
    body = _ours(content)
    if body is None:
        return None
    source, recognition = body.get("source"), body.get("recognition")
    if not isinstance(source, dict) or not isinstance(recognition, dict):
        return None
    sha256, model, settings = source.get("sha256"), recognition.get("model"), recognition.get("settings")
    if not isinstance(sha256, str) or not isinstance(model, str) or not isinstance(settings, dict):
        return None
    return (sha256, model, settings) if re.fullmatch(r"[0-9a-f]{64}", sha256) else None


def read_document(content: str | bytes) -> Document | None:
    """What a transcript that dropscribe wrote says, or None for anything else, a damaged one too."""
    body = _ours(content)
    if body is None:
        return None
    try:
        source, recognition = body["source"], body["recognition"]
        segments = tuple(map(_read_segment, body["segments"]))
        return Document(
            source_name=_is(source["name"], str),
            size=_is(source["size"], int, None),
            sha256=_is(source["sha256"], str, None),
            model=_is(recognition["model"], str, None),
            settings=_is(recognition["settings"], dict),
            task_id=_is(recognition["task_id"], str, None),
            transcript=Transcript(_is(source["duration_ms"], int, None), _is(body["text"], str), segments),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _is(value: Any, kind: type, otherwise: object = ...) -> Any:
    """`value`, if it is of that kind (true is no number) or the other thing that it may be. Raises TypeError."""
    if (isinstance(value, kind) and not isinstance(value, bool)) or value is otherwise:
        return value
    raise TypeError(f"a {kind.__name__} was expected")


def read_names(content: str | bytes) -> dict[int, str]:
    """The names in a transcript that dropscribe wrote, by speaker, else by channel."""
    segments = (_ours(content) or {}).get("segments")
    names: dict[int, str] = {}
    for item in segments if isinstance(segments, list) else ():
        if isinstance(item, dict):
            number = item.get("channel") if item.get("speaker") is None else item.get("speaker")
            name = item.get("speaker_name")
            if isinstance(number, int) and isinstance(name, str):
                names[number] = name
    return names


def _ours(content: str | bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and str(body.get("schema")).startswith(_FAMILY) else None


def _read_segment(item: Any) -> Segment:
    words = tuple(
        Word(*_times(word), _is(word["text"], str), _is(word["punctuation"], str)) for word in _is(item["words"], list)
    )
    channel, speaker = (_is(item[key], int, None) for key in ("channel", "speaker"))
    return Segment(*_times(item), channel, speaker, _is(item["language"], str, None), _is(item["text"], str), words)


def _times(item: Any) -> tuple[int, int]:
    start, end = _is(item["start_ms"], int), _is(item["end_ms"], int)
    if not (0 <= start <= _LATEST_MS and 0 <= end <= _LATEST_MS):
        raise ValueError("a recording does not last for years")
    return start, end
