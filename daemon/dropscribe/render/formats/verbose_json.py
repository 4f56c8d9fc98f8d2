"""OpenAI's `verbose_json` with WhisperX's fields: what programs made for Whisper's output read.

What is not known (probabilities, temperatures) is left out rather than invented. Times are seconds.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dropscribe.model import Segment
from dropscribe.render.characters import is_unspaced
from dropscribe.render.edition import Edition
from dropscribe.render.languages import languages, scripts
from dropscribe.render.listing import head, items
from dropscribe.render.tokens import Token, tokens

NAME = "verbose_json"
_SEGMENTS = '\n"segments": ['


def render(edition: Edition) -> str:
    """One line a segment and a word list; Whisper's words carry the space before them, and so do these."""
    spoken = [segment for segment in edition.segments if segment.text.strip()]
    segments = [_segment(edition, number, segment) for number, segment in enumerate(spoken)]
    words = [word for segment in segments for word in segment["words"]]
    head = {
        "task": "transcribe",
        "language": _language(edition, spoken),
        "duration": _duration(edition),
        "text": edition.document.transcript.text,
    }
    lists = {"segments": segments, "words": [_timed(word) for word in words], "word_segments": words}
    opened = json.dumps({key: value for key, value in head.items() if value is not None}, ensure_ascii=False)
    return opened[:-1] + "".join(f',\n"{name}": {_listed(items)}' for name, items in lists.items()) + "}\n"


def meant(edition: Edition) -> str:
    """The text that the file has to hold: once in segments, once in words."""
    return 2 * "".join(segment.text for segment in edition.segments)


def shown(text: str) -> str:
    """The text that a file holds."""
    head(text, _SEGMENTS)
    segments, words = items(text, _SEGMENTS), items(text, '\n"words": [')
    return "".join([*(one["text"] for one in segments), *(one["word"] for one in words)])


def _listed(items: Sequence[Mapping[str, Any]]) -> str:
    return "[" + ",".join("\n " + json.dumps(item, ensure_ascii=False) for item in items) + "]"


def _language(edition: Edition, spoken: Sequence[Segment]) -> str | None:
    said = next((segment.language for segment in spoken if segment.language), None)
    if said or not spoken:
        return said
    hints = edition.document.settings.get("language_hints")
    if isinstance(hints, list | tuple) and hints and isinstance(hints[0], str):
        return hints[0]
    found = languages(spoken, scripts(spoken))
    return max(set(found), key=found.count) or None


def _duration(edition: Edition) -> float | None:
    duration = edition.document.transcript.duration_ms
    return None if duration is None else duration / 1000


def _segment(edition: Edition, number: int, segment: Segment) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": number,
        "start": segment.start_ms / 1000,
        "end": segment.end_ms / 1000,
        "text": segment.text,
    }
    speaker = edition.given_name(segment.channel, segment.speaker) or _number(segment)
    voice = {"speaker": speaker} if speaker else {}
    spaced = not is_unspaced(segment.text.strip()[0])
    words: list[dict[str, Any]] = []
    for token in tokens(segment):
        words.append(_word(token, spaced) | voice)
        spaced = token.text[-1].isspace()
    return facts | voice | {"words": words}


def _number(segment: Segment) -> str | None:
    """As WhisperX calls them."""
    return None if segment.speaker is None else f"SPEAKER_{segment.speaker:02d}"


def _word(token: Token, spaced: bool) -> dict[str, Any]:
    word = {
        "word": (" " if spaced else "") + token.text.strip(),
        "start": token.start_ms / 1000,
        "end": token.end_ms / 1000,
    }
    return word if token.spoken else word | {"interpolated": True}


def _timed(word: Mapping[str, Any]) -> dict[str, Any]:
    return {key: word[key] for key in ("word", "start", "end")}
