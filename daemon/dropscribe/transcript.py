"""The service's result document to a `Transcript`: tolerant of what it may leave out, strict about what it is.

Fun-ASR and Qwen filetrans answer in the same shape; `language`, `speaker_id`, `words`, `punctuation` come and go.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dropscribe.errors import DropscribeError
from dropscribe.foreign import number
from dropscribe.model import Segment, Transcript, Word

LATEST_MS = 100 * 24 * 3600 * 1000
"""A time beyond 100 days is noise (the service takes 12 hours): it counts as not said."""

MOST_VALUES = 10_000_000
"""Ten channels of 12 hours without a pause; each costs far more memory than its bytes."""


class UnusableResult(DropscribeError):
    """The result document is not one: not JSON, not an object, nested beyond reason, or without `transcripts`."""


@dataclass(frozen=True, slots=True)
class _Channel:
    number: int | None
    text: str
    segments: tuple[Segment, ...]


def parse(raw: bytes) -> Transcript:
    """Read a result document; the caller bounds its size.

    Segments of all channels are in order of (start_ms, channel); ends are never before starts. Raises UnusableResult.
    """
    body, listed = _document(raw)
    channels = sorted((_channel(item) for item in _objects(listed)), key=lambda channel: _rank(channel.number))
    segments = [segment for channel in channels for segment in channel.segments]
    segments.sort(key=lambda segment: (segment.start_ms, _rank(segment.channel)))
    text = "\n".join(channel.text for channel in channels if channel.text)
    return Transcript(_duration(body), text, tuple(segments))


def check(raw: bytes) -> None:
    """Raise UnusableResult where `parse` would, for a fraction of its cost."""
    _document(raw)


def speech_seconds(raw: bytes) -> float | None:
    """What is billed for a result: detected speech, of all channels; None where one of them does not say.

    Raises UnusableResult.
    """
    listed = _body(raw).get("transcripts")
    if not isinstance(listed, list):
        return None
    said = [item.get("content_duration_in_milliseconds") for item in _objects(listed)]
    known = [ms for ms in said if isinstance(ms, int | float) and not isinstance(ms, bool) and 0 <= ms <= LATEST_MS]
    return sum(known) / 1000.0 if len(known) == len(said) else None


def _document(raw: bytes) -> tuple[Mapping[str, Any], list[Any]]:
    body = _body(raw)
    listed = body.get("transcripts")
    if not isinstance(listed, list):
        raise UnusableResult("The result document has no list called `transcripts`.")
    return body, listed


def _body(raw: bytes) -> Mapping[str, Any]:
    if sum(map(raw.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise UnusableResult("The result document holds more values than any recording could give.")
    try:
        # One bad byte must not cost a result that was paid for.
        body = json.loads(raw.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise UnusableResult("The result document is nested beyond reason.") from None
    except ValueError as error:
        raise UnusableResult(f"The result document is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise UnusableResult(f"The result document is not a JSON object but a {type(body).__name__}.")
    return body


def _duration(body: Mapping[str, Any]) -> int | None:
    properties = body.get("properties")
    return _ms(properties.get("original_duration_in_milliseconds")) if isinstance(properties, dict) else None


def _channel(item: Mapping[str, Any]) -> _Channel:
    number = _index(item.get("channel_id"))
    segments: list[Segment] = []
    for sentence in _objects(item.get("sentences")):
        segments.append(_segment(sentence, number, segments[-1].end_ms if segments else 0))
    text = _text(item.get("text")) or _joined([segment.text for segment in segments])
    return _Channel(number, text, tuple(segments))


def _segment(item: Mapping[str, Any], channel: int | None, after_ms: int) -> Segment:
    said_start, said_end = _ms(item.get("begin_time")), _ms(item.get("end_time"))
    words = _words(item.get("words"), after_ms if said_start is None else said_start)
    start = _known(said_start, min((word.start_ms for word in words), default=after_ms))
    end = _known(said_end, max((word.end_ms for word in words), default=start))
    text = _text(item.get("text"))
    if text is None:
        text = "".join(word.text + word.punctuation for word in words)
    language = _text(item.get("language")) or None
    return Segment(start, max(start, end), channel, _index(item.get("speaker_id")), language, text, words)


def _words(value: object, after_ms: int) -> tuple[Word, ...]:
    words: list[Word] = []
    for item in _objects(value):
        start = _known(_ms(item.get("begin_time")), words[-1].end_ms if words else after_ms)
        end = _known(_ms(item.get("end_time")), start)
        text, punctuation = _text(item.get("text")) or "", _text(item.get("punctuation")) or ""
        words.append(Word(start, max(start, end), text, punctuation))
    return tuple(words)


def _joined(texts: Sequence[str]) -> str:
    """Sentences in a row: a space between them, but none next to a full-width character."""
    text = ""
    for more in texts:
        tight = not text or not more or text[-1].isspace() or more[0].isspace() or _wide(text[-1])
        text += more if tight else " " + more
    return text


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _known(said: int | None, instead: int) -> int:
    return instead if said is None else said


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _ms(value: object) -> int | None:
    if type(value) is int and 0 <= value <= LATEST_MS:  # nearly always, twice a word
        return value
    found = number(value)
    return None if found is None or found > LATEST_MS else max(0, round(found))


def _index(value: object) -> int | None:
    """A channel or a speaker: a whole number from 0, else not known."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 2**31 and found == int(found) else None


def _rank(channel: int | None) -> int:
    return -1 if channel is None else channel
