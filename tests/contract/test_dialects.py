"""Where the sources of docs/protocol.md disagree, both sides are tried: each file gets its words and is paid once."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dropscribe.sandbox import running_sandbox
from lab import AT_ONCE, Lab, files_below, sha256

pytestmark = pytest.mark.journey
FORMS: Mapping[str, list[str]] = {
    "no output around it": ["unwrapped"],
    "addresses without their query": ["bare_urls"],
    "no bill": ["null_usage"],
    "seconds in place of a duration": ["seconds"],
    "unwrapped, without queries and with seconds": ["unwrapped", "bare_urls", "seconds"],
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with running_sandbox(AT_ONCE) as sandbox:
        yield Lab(tmp_path, sandbox, forked=True)


def assert_delivered_and_paid_once(lab: Lab, files: Mapping[str, bytes]) -> None:
    assert files_below(lab.done) == files
    assert lab.heard() == {name.replace(".mp3", ".json"): sha256(data) for name, data in files.items()}
    for name, data in files.items():
        assert sha256(data)[:16] in lab.transcript(name.replace(".mp3", ".json"))["text"], "its own words"
    assert set(lab.billed().values()) == {1}
    lab.assert_bucket_is_empty()


@pytest.mark.parametrize("form", FORMS)
def test_a_file_comes_home_whatever_the_answers_look_like(lab: Lab, form: str) -> None:
    for does in FORMS[form]:
        lab.sandbox.inject("query", does)
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(3)}

    assert lab.run_once().returncode == 0

    assert_delivered_and_paid_once(lab, files)


def test_a_task_of_one_file_may_hold_one_result_in_place_of_a_list(lab: Lab) -> None:
    lab.sandbox.inject("query", "one_result")
    data = lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    assert_delivered_and_paid_once(lab, {"talk.mp3": data})


def test_an_unknown_task_with_counts_of_zero_is_as_unknown_as_one_without(lab: Lab) -> None:
    lab.sandbox.inject("query", "unknown", times=2)
    lab.sandbox.inject("query", "zeroed")
    data = lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    assert_delivered_and_paid_once(lab, {"talk.mp3": data})


SPELLINGS: Mapping[str, dict[str, str]] = {
    "as documented": {"code": "SUCCESS_WITH_NO_VALID_FRAGMENT"},
    "in lower case": {"code": "success_with_no_valid_fragment"},
    "in mixed case": {"code": "Success_With_No_Valid_Fragment"},
    "the other name": {"code": "ASR_RESPONSE_HAVE_NO_WORDS"},
    "the other name, misspelled": {"code": "ASR_RESPONSE_HAVE_HO_WORDS"},
}


@pytest.mark.parametrize("where", ["in its code", "in its message alone"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_silence_is_understood_however_it_is_spelled(lab: Lab, spelling: str, where: str) -> None:
    lab.sandbox.inject("subtask", "fail", message="No speech.", **SPELLINGS[spelling])
    if where == "in its message alone":
        lab.sandbox.inject("query", "code_in_message")
    lab.drop("silence.mp3")

    assert lab.run_once().returncode == 0

    assert lab.transcript("silence.json")["text"] == ""
    assert lab.outputs()["silence.srt"] == b""
    assert lab.calls("submit") == 1


@pytest.mark.parametrize("rows", ["data", "tasks"])
def test_a_lost_answer_is_found_whatever_the_list_calls_its_rows(lab: Lab, rows: str) -> None:
    lab.sandbox.inject("submit", "lost", times=1)
    if rows == "tasks":
        lab.sandbox.inject("list", "as_tasks")
    data = lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    assert lab.calls("submit") == 1
    assert_delivered_and_paid_once(lab, {"talk.mp3": data})


SENTENCE = {"begin_time": 100, "end_time": 900, "text": "Said it."}
WORDS = [
    {"begin_time": 100, "end_time": 400, "text": "Said ", "punctuation": ""},
    {"begin_time": 400, "end_time": 900, "text": "it", "punctuation": ". "},
]
DOCUMENTS: Mapping[str, dict[str, Any]] = {
    "with all that there can be": {
        "properties": {"audio_format": "mp3", "channels": [0], "original_duration_in_milliseconds": 1000},
        "sentence": {**SENTENCE, "sentence_id": 1, "speaker_id": 0, "words": WORDS},
    },
    "without words": {"sentence": {**SENTENCE, "sentence_id": 1}},
    "with thin properties": {"properties": {}, "sentence": {**SENTENCE, "words": WORDS}},
    "with confidence": {"sentence": {**SENTENCE, "words": [{**word, "confidence": 0.9} for word in WORDS]}},
    "of the sister model": {
        "audio_info": {"format": "mp3", "sample_rate": 16000},
        "sentence": {**SENTENCE, "sentence_id": 0, "language": "en", "emotion": "neutral", "words": WORDS},
    },
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_words_are_read_from_every_documented_document(lab: Lab, name: str) -> None:
    rest = {key: value for key, value in DOCUMENTS[name].items() if key != "sentence"}
    transcript = {"channel_id": 0, "text": "Said it.", "sentences": [DOCUMENTS[name]["sentence"]]}
    lab.sandbox.inject("result", "body", message=json.dumps({**rest, "transcripts": [transcript]}))
    lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    [segment] = lab.transcript("talk.json")["segments"]
    assert (segment["start_ms"], segment["end_ms"], segment["text"]) == (100, 900, "Said it.")
    assert b"Said it." in lab.outputs()["talk.srt"]
