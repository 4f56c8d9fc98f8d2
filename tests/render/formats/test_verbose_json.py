"""OpenAI's shape with WhisperX's fields, as programs read it that know Whisper."""

import json
from typing import Any

import pysubs2
import pytest

from dropscribe.model import Segment, Transcript
from dropscribe.render.edition import Edition
from dropscribe.render.formats.verbose_json import render
from render.documents import REAL, document, edition, real, said, spoken, transcript

TALK = transcript(spoken("Are you coming?", 0, speaker=0), spoken("No, not today.", 1000, speaker=1))


def body(of: Edition) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(of))
    return found


def test_segments_and_words_have_seconds_and_speakers() -> None:
    found = body(edition(TALK, {1: "Ben"}))

    assert (found["task"], found["language"], found["text"]) == ("transcribe", "en", TALK.text)
    assert found["segments"][0] | {"words": []} == {
        "id": 0,
        "start": 0.0,
        "end": 0.9,
        "text": "Are you coming?",
        "speaker": "SPEAKER_00",
        "words": [],
    }
    assert found["segments"][1]["words"][0] == {"word": " No,", "start": 1.0, "end": 1.3, "speaker": "Ben"}
    assert found["words"][3] == {"word": " No,", "start": 1.0, "end": 1.3}
    assert found["word_segments"][3]["speaker"] == "Ben"


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_words_joined_are_the_text(path) -> None:
    for segment in body(edition(real(path)))["segments"]:
        assert "".join(word["word"] for word in segment["words"]).strip() == segment["text"].strip()


def test_words_whose_times_are_reckoned_say_so() -> None:
    assert body(edition(transcript(said("你好", 0, 400))))["segments"][0]["words"] == [
        {"word": "你", "start": 0.0, "end": 0.2, "interpolated": True},
        {"word": "好", "start": 0.2, "end": 0.4, "interpolated": True},
    ]


def test_what_is_not_known_is_left_out() -> None:
    found = body(edition(transcript()))

    assert found == {"task": "transcribe", "text": "", "segments": [], "words": [], "word_segments": []}


@pytest.mark.parametrize(
    ("said_language", "hints", "language"), [("nl", ["zh"], "nl"), (None, ["zh"], "zh"), (None, None, "en")]
)
def test_the_language_is_the_recognisers_else_the_hinted_else_told_by_the_text(said_language, hints, language) -> None:
    segment = Segment(0, 1, 0, None, said_language, "We went to the market.", ())
    of = document(Transcript(5000, "", (segment,)), settings={"language_hints": hints} if hints else {})

    assert body(Edition(of)) | {"segments": [], "words": [], "word_segments": [], "text": ""} == {
        "task": "transcribe",
        "language": language,
        "duration": 5.0,
        "text": "",
        "segments": [],
        "words": [],
        "word_segments": [],
    }


def test_programs_that_know_whisper_read_it() -> None:
    found = pysubs2.load_from_whisper(body(edition(TALK)))

    assert [(one.start, one.end, one.text) for one in found] == [
        (0, 900, "Are you coming?"),
        (1000, 1900, "No, not today."),
    ]
