"""dropscribe's own transcript: what stands in it, and that we know it again."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import assume, given, settings

from dropscribe.model import Document, Segment, Transcript, Word
from dropscribe.render import render_all
from dropscribe.render.edition import Edition, Presentation
from dropscribe.render.formats.json import read_document, read_identity
from dropscribe.render.formats.json import render as render_edition
from dropscribe.render.profiles import Subtitles
from render.documents import LIMITS, REAL, TRANSCRIPTS, document, real, said, transcript

SHA = "ab" * 32
SCHEMA = json.loads(files("dropscribe.render").joinpath("transcript.schema.json").read_text("utf-8"))


def render(of: Document, speakers: dict[int, str] | None = None) -> str:
    return render_edition(Edition(of, Presentation(speakers=speakers or {})))


OURS = render(document(transcript(said("Hi.")), sha256=SHA))


def test_the_file_holds_what_the_contract_says_and_null_for_the_unknown() -> None:
    segment = Segment(100, 3820, None, None, "zh", "你好。", (Word(100, 596, "你好", "。"),))
    spoken = document(
        Transcript(3834, "你好。", (segment,)), sha256=SHA, settings={"language_hints": ["zh"]}, task_id=None
    )

    assert json.loads(render(spoken)) == {
        "schema": "dropscribe.transcript/1",
        "source": {"name": "a/talk.mp3", "size": 7, "sha256": SHA, "duration_ms": 3834},
        "recognition": {"model": "fun-asr", "settings": {"language_hints": ["zh"]}, "task_id": None},
        "text": "你好。",
        "segments": [
            {
                "start_ms": 100,
                "end_ms": 3820,
                "channel": None,
                "speaker": None,
                "language": "zh",
                "text": "你好。",
                "words": [{"start_ms": 100, "end_ms": 596, "text": "你好", "punctuation": "。"}],
            }
        ],
    }


def test_a_speaker_has_the_name_that_the_configuration_gives() -> None:
    (segment,) = json.loads(render(document(transcript(said("Hi.", speaker=1))), {1: "Ben"}))["segments"]

    assert (segment["speaker"], segment["speaker_name"]) == (1, "Ben")


def test_a_sentence_without_words_that_fit_is_marked() -> None:
    without, other, blank = said("Hi there."), said("Hi there.", 0, 9, Word(0, 9, "quite else", "")), said(" ")

    segments = json.loads(render(document(transcript(without, other, blank))))["segments"]

    assert [segment.get("interpolated") for segment in segments] == [True, True, None]


def test_the_schema_is_a_schema_and_names_the_one_that_is_written() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA["properties"]["schema"]["const"] == json.loads(OURS)["schema"]


def test_silence_gives_an_empty_text_and_no_segments() -> None:
    body = json.loads(render(document(transcript())))

    assert body["text"] == ""
    assert body["segments"] == []


def test_a_person_can_read_it_a_word_a_line() -> None:
    text = render(document(transcript(said("你好", 0, 9, Word(0, 5, "你", ""), Word(5, 9, "好", "。")))))

    assert '\n   {"start_ms": 5, "end_ms": 9, "text": "好", "punctuation": "。"}\n' in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_transcripts_come_back_whole(path: Path) -> None:
    spoken = real(path)

    body = json.loads(render(document(spoken)))

    assert [segment["text"] for segment in body["segments"]] == [segment.text for segment in spoken.segments]
    assert [len(segment["words"]) for segment in body["segments"]] == [
        len(segment.words) for segment in spoken.segments
    ]


@settings(deadline=None, max_examples=25)
@given(TRANSCRIPTS)
def test_any_transcript_gives_valid_json_with_all_its_segments(spoken: Transcript) -> None:
    body = json.loads(render(document(spoken)))

    jsonschema.validate(body, SCHEMA)
    assert [segment["text"] for segment in body["segments"]] == [segment.text for segment in spoken.segments]


@settings(deadline=None, max_examples=25)
@given(TRANSCRIPTS)
def test_our_own_file_can_be_read_again(spoken: Transcript) -> None:
    of = document(spoken, settings={"speaker_count": 2})

    assert read_document(render(of)) == of


@pytest.mark.parametrize("damage", ['"segments": [7]', '"segments": null', '"words": 5'])
def test_a_damaged_file_of_ours_is_not_read(damage: str) -> None:
    key = damage.partition(":")[0]

    assert read_document(OURS.replace(f"{key}: [", f'{damage}, "rest": [', 1)) is None
    assert read_document(b"{}") is None


def test_a_later_schema_of_ours_is_known_as_well() -> None:
    assert read_identity(OURS.replace("transcript/1", "transcript/2")) == (SHA, "fun-asr", {})


def test_our_own_file_is_known_again_by_content_model_and_settings() -> None:
    text = render(document(transcript(said("Hi.")), sha256=SHA, settings={"speaker_count": 2}))

    assert read_identity(text) == (SHA, "fun-asr", {"speaker_count": 2})
    assert read_identity(text.encode()) == (SHA, "fun-asr", {"speaker_count": 2})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[1]",
        b"[" * 100_000,
        b'{"transcripts": []}',
        b'{"schema": "other/1", "source": {"sha256": "%b"}, "recognition": {"model": "m", "settings": {}}}'
        % (b"a" * 64),
        b'{"schema": "dropscribe.transcript/1"}',
        OURS.replace(SHA, "not a hash").encode(),
        OURS.replace('"fun-asr"', "5").encode(),
        OURS.replace('"settings": {}', '"settings": []').encode(),
    ],
)
def test_what_we_did_not_write_is_not_taken_for_ours(content: bytes) -> None:
    assert read_identity(content) is None


@settings(deadline=None, max_examples=20)
@given(TRANSCRIPTS, LIMITS)
def test_what_is_rendered_from_a_transcript_is_what_was_rendered_from_the_answer(
    of: Transcript, limits: Subtitles
) -> None:
    texts = [text for segment in of.segments for text in (segment.text, *(word.text for word in segment.words))]
    assume(not any("\ud800" <= character <= "\udfff" for text in texts for character in text))
    outputs, shown = ["json", "srt", "vtt", "md"], Presentation(limits, {0: "Anna"})

    rendered = render_all(document(of), outputs, shown).texts

    read = read_document(rendered["json"])
    assert read is not None
    assert render_all(read, outputs, shown).texts == rendered
