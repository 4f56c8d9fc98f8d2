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
            source_name=source["name"],
            size=source["size"],
            sha256=source["sha256"],
            model=recognition["model"],
            settings=recognition["settings"],
            task_id=recognition["task_id"],
            transcript=Transcript(source["duration_ms"], body["text"], segments),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def read_names(content: str | bytes) -> dict[int, str]:
    """The names in a transcript that dropscribe wrote, by speaker, else by channel."""
    names: dict[int, str] = {}
    for item in (_ours(content) or {}).get("segments", ()):
        number = item["channel"] if item["speaker"] is None else item["speaker"]
        if number is not None and "speaker_name" in item:
            names[number] = item["speaker_name"]
    return names


def _ours(content: str | bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and str(body.get("schema")).startswith(_FAMILY) else None


def _read_segment(item: dict[str, Any]) -> Segment:
    words = tuple(
        Word(int(word["start_ms"]), int(word["end_ms"]), str(word["text"]), str(word["punctuation"]))
        for word in item["words"]
    )
    start, end = int(item["start_ms"]), int(item["end_ms"])
    return Segment(start, end, item["channel"], item["speaker"], item["language"], str(item["text"]), words)
