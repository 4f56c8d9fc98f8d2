"""What the sandbox says it heard: given texts for known recordings, an honest stand-in for all others; or, where it
listens, what it really heard.

A given text is a JSON file of `recordings/`: `sha256`, `format`, `sample_rate`, `duration_ms` and `sentences`, each
with `phrases` (`[begin ms, end ms, text]`, as they stand between the pauses), and where they apply `speaker_id` and
`channel_id`. Within a phrase the words are spread evenly: nobody has timed them.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from dropscribe.sandbox.spoken import Phrase, Recording, Sentence
from dropscribe.sandbox.tasks import Heard, url_path

BYTES_A_SECOND = 16_000  # 128 kbit/s
LONGEST_MS = 12 * 3600 * 1000
_HAN = r"\u3400-\u9fff"
_WORD = re.compile(rf"[{_HAN}]|[^\W{_HAN}](?:[^\W{_HAN}]|['’-](?=\w))*")


def demo_recordings() -> Sequence[Traversable]:
    """The media that come with the package, to be transcribed in a demonstration."""
    names = ("dialogue_en.mp4", "jfk_en.flac", "welcome_zh.wav", "librivox_sense_and_sensibility_en.flac")
    return [_folder() / name for name in names]


def _folder() -> Traversable:
    return files("dropscribe.sandbox") / "recordings"


@cache
def given_recordings() -> Mapping[str, Recording]:
    """Recording by sha256, for all texts that come with the package."""
    documents = [json.loads(f.read_text("utf-8")) for f in _folder().iterdir() if f.name.endswith(".json")]
    return {d["sha256"]: _recording(d) for d in documents}


def _recording(document: Mapping[str, Any]) -> Recording:
    sentences = tuple(
        Sentence(tuple(map(tuple, s["phrases"])), s.get("speaker_id", 0), s.get("channel_id", 0))
        for s in document["sentences"]
    )
    return Recording(document["format"], document["sample_rate"], document["duration_ms"], sentences)


def recording_of(heard: Heard, url: str) -> Recording:
    """What the sandbox heard; else the given recording of this content, or one that says that it does not listen."""
    return heard.spoken or given_recordings().get(heard.sha256) or _stand_in(heard, url)


def _stand_in(heard: Heard, url: str) -> Recording:
    duration = min(LONGEST_MS, 2000 + heard.size * 1000 // BYTES_A_SECOND)
    talk = min(duration - 300, 20_000)
    pause = 100 + talk // 3
    texts = ("The sandbox cannot hear.", f"This stands for the recording with the SHA-256 {heard.sha256[:16]}.")
    sentences = tuple(Sentence((phrase,)) for phrase in ((100, pause, texts[0]), (100 + pause, 200 + talk, texts[1])))
    return Recording(format_of(url), 16_000, duration, sentences)


def format_of(url: str) -> str:
    """What the suffix of an object's name says."""
    _, dot, suffix = url_path(url).rpartition(".")
    return suffix.lower() if dot else "wav"


def billed_seconds(recording: Recording, parameters: Mapping[str, Any]) -> int:
    """Speech only, each channel on its own, in whole seconds."""
    return sum(math.ceil(_speech_ms(_of_channel(recording, c)) / 1000) for c in channels(parameters))


def channels(parameters: Mapping[str, Any]) -> Sequence[int]:
    return parameters.get("channel_id") or [0]


def document(heard: Heard, url: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The result document of one file, as Fun-ASR writes it."""
    recording = recording_of(heard, url)
    diarized = bool(parameters.get("diarization_enabled"))
    return {
        "file_url": url,
        "properties": {
            "audio_format": recording.format,
            "channels": list(channels(parameters)),
            "original_sampling_rate": recording.sample_rate,
            "original_duration_in_milliseconds": recording.duration_ms,
        },
        "transcripts": [_transcript(recording, c, diarized) for c in channels(parameters)],
    }


def _transcript(recording: Recording, channel: int, diarized: bool) -> dict[str, Any]:
    sentences = _of_channel(recording, channel)
    return {
        "channel_id": channel,
        "content_duration_in_milliseconds": _speech_ms(sentences),
        "text": _joined([s.text for s in sentences]),
        "sentences": [_sentence(s, number, diarized) for number, s in enumerate(sentences, 1)],
    }


def _of_channel(recording: Recording, channel: int) -> list[Sentence]:
    return [s for s in recording.sentences if s.channel == channel]


def _speech_ms(sentences: Sequence[Sentence]) -> int:
    return sum(s.end_ms - s.begin_ms for s in sentences)


def _joined(texts: Sequence[str]) -> str:
    return "".join(texts) if any("\u3400" <= t[0] <= "\u9fff" for t in texts) else " ".join(texts)


def _sentence(sentence: Sentence, number: int, diarized: bool) -> dict[str, Any]:
    spoken: dict[str, Any] = {"begin_time": sentence.begin_ms, "end_time": sentence.end_ms, "text": sentence.text}
    spoken["sentence_id"] = number
    if diarized:
        spoken["speaker_id"] = sentence.speaker
    return spoken | {"words": [w for phrase in sentence.phrases for w in _words(phrase)]}


def _words(phrase: Phrase) -> Iterator[dict[str, Any]]:
    """Words with punctuation in a field of its own, and times in proportion to their letters."""
    begin, end, text = phrase
    found = list(_WORD.finditer(text))
    letters, spoken = sum(len(m[0]) for m in found), 0
    for index, match in enumerate(found):
        start = begin + (end - begin) * spoken // letters
        spoken += len(match[0])
        after = text[match.end() : found[index + 1].start() if index + 1 < len(found) else None]
        blank = not after.strip()
        yield {
            "begin_time": start,
            "end_time": begin + (end - begin) * spoken // letters,
            "text": match[0] + (after if blank else ""),
            "punctuation": "" if blank else after,
        }
