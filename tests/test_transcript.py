"""The result document: what it may leave out costs nothing, what is no result is said to be none."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.errors import DropscribeError
from dropscribe.model import Segment, Transcript, Word
from dropscribe.transcript import (
    MOST_VALUES,
    UnusableResult,
    check,
    parse,
    speech_seconds,
)

WORDS = Path(__file__).parent / "words"

FUN_ASR: dict[str, Any] = {
    "file_url": "https://bucket.example.com/a.mp3?Expires=1&Signature=abc",
    "properties": {"audio_format": "mp3", "channels": [0], "original_duration_in_milliseconds": 3834},
    "transcripts": [
        {
            "channel_id": 0,
            "content_duration_in_milliseconds": 3720,
            "text": "Hello world, 这里是实验室。",
            "sentences": [
                {
                    "begin_time": 100,
                    "end_time": 3820,
                    "text": "Hello world, 这里是实验室。",
                    "sentence_id": 1,
                    "speaker_id": 0,
                    "words": [
                        {"begin_time": 100, "end_time": 596, "text": "Hello ", "punctuation": ""},
                        {"begin_time": 596, "end_time": 844, "text": "world", "punctuation": ", "},
                    ],
                }
            ],
        }
    ],
}


def read(body: object) -> Transcript:
    return parse(json.dumps(body).encode())


def sentence(**facts: Any) -> Segment:
    """The one segment that a document with this one sentence gives."""
    (segment,) = read({"transcripts": [{"channel_id": 0, "sentences": [facts]}]}).segments
    return segment


def test_a_fun_asr_answer_is_read_as_it_stands() -> None:
    transcript = read(FUN_ASR)

    assert transcript == Transcript(
        duration_ms=3834,
        text="Hello world, 这里是实验室。",
        segments=(
            Segment(
                100,
                3820,
                0,
                0,
                None,
                "Hello world, 这里是实验室。",
                (Word(100, 596, "Hello ", ""), Word(596, 844, "world", ", ")),
            ),
        ),
    )


def test_a_qwen_answer_gives_the_language_of_each_sentence_and_no_duration() -> None:
    transcript = read(
        {
            "audio_info": {"format": "wav", "sample_rate": 16000},
            "transcripts": [
                {
                    "channel_id": 0,
                    "text": "你好",
                    "sentences": [
                        {
                            "sentence_id": 0,
                            "begin_time": 1,
                            "end_time": 9,
                            "language": "zh",
                            "emotion": "neutral",
                            "text": "你好",
                        }
                    ],
                }
            ],
        }
    )

    assert transcript.duration_ms is None
    assert transcript.segments == (Segment(1, 9, 0, None, "zh", "你好"),)


def test_silence_is_a_transcript_without_text() -> None:
    assert read({"transcripts": []}) == Transcript(None, "", ())
    assert read({"transcripts": [{"channel_id": 0, "text": "", "sentences": []}]}) == Transcript(None, "", ())


def test_channels_are_interleaved_by_time_and_their_texts_stand_one_under_the_other() -> None:
    transcript = read(
        {
            "transcripts": [
                {"channel_id": 1, "text": "B", "sentences": [{"begin_time": 5, "end_time": 9, "text": "B"}]},
                {"channel_id": 2, "text": "", "sentences": []},
                {
                    "channel_id": 0,
                    "text": "A C",
                    "sentences": [
                        {"begin_time": 5, "end_time": 6, "text": "A"},
                        {"begin_time": 7, "end_time": 8, "text": "C"},
                    ],
                },
            ]
        }
    )

    assert [(segment.channel, segment.text) for segment in transcript.segments] == [(0, "A"), (1, "B"), (0, "C")]
    assert transcript.text == "A C\nB"


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["Well.", "Yes."], "Well. Yes."),
        (["你好。", "再见。"], "你好。再见。"),
        (["One ", "two"], "One two"),
        (["", "a"], "a"),
    ],
)
def test_a_channel_without_text_gets_that_of_its_sentences(texts: list[str], joined: str) -> None:
    body = {"transcripts": [{"channel_id": 0, "sentences": [{"text": text} for text in texts]}]}

    assert read(body).text == joined


@pytest.mark.parametrize(
    ("facts", "times"),
    [
        ({"begin_time": 100.4, "end_time": "250"}, (100, 250)),
        ({"begin_time": 500, "end_time": 300}, (500, 500)),
        ({"begin_time": -20, "end_time": 300}, (0, 300)),
        ({"begin_time": True, "end_time": None}, (0, 0)),
        ({"begin_time": 10, "end_time": 1e300}, (10, 10)),
        ({"begin_time": "soon", "end_time": [7]}, (0, 0)),
        ({"words": [{"begin_time": 7, "end_time": 9, "text": "a"}]}, (7, 9)),
    ],
)
def test_odd_times_become_usable_ones(facts: dict[str, Any], times: tuple[int, int]) -> None:
    segment = sentence(text="x", **facts)

    assert (segment.start_ms, segment.end_ms) == times


def test_a_sentence_without_times_follows_the_one_before() -> None:
    body = {"transcripts": [{"sentences": [{"begin_time": 5, "end_time": 80, "text": "a"}, {"text": "b"}]}]}

    assert [segment.start_ms for segment in read(body).segments] == [5, 80]


@pytest.mark.parametrize("words", [None, "none", [], [None, 3, "x"], {"0": {}}])
def test_words_may_be_absent_or_nonsense(words: object) -> None:
    assert sentence(text="x", words=words).words == ()


def test_a_word_may_lack_everything_but_its_text() -> None:
    segment = sentence(begin_time=40, end_time=90, text="x y", words=[{"text": "x", "end_time": 60}, {"text": "y"}])

    assert segment.words == (Word(40, 60, "x", ""), Word(60, 60, "y", ""))


def test_a_sentence_without_text_gets_that_of_its_words() -> None:
    words = [{"text": "Hello ", "punctuation": ""}, {"text": "world", "punctuation": "."}]

    assert sentence(words=words).text == "Hello world."


@pytest.mark.parametrize(
    ("said", "known"), [(0, 0), ("2", 2), (1.0, 1), (-1, None), (1.5, None), ("Anna", None), (None, None)]
)
def test_a_speaker_is_a_whole_number_or_not_known(said: object, known: int | None) -> None:
    assert sentence(text="x", speaker_id=said).speaker == known


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>busy</html>", "not JSON"),
        (b'{"transcripts": [', "not JSON"),
        (b'["transcripts"]', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "no list called `transcripts`"),
        (b'{"transcripts": null}', "no list called `transcripts`"),
        (b'{"transcripts": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested beyond reason"),
        (b'{"transcripts": [], "n": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_result_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnusableResult, match=reason) as caught:
        parse(raw)
    with pytest.raises(UnusableResult, match=reason):
        check(raw)

    assert isinstance(caught.value, DropscribeError)


def test_a_byte_that_is_not_utf8_does_not_cost_the_result() -> None:
    assert parse(b'\xef\xbb\xbf{"transcripts": [{"text": "a\xffb"}]}').text == "a\ufffdb"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NUMBERISH = st.integers() | st.floats() | st.sampled_from(["12", "1e9", "x", "", None, True])


def near(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with some of these fields, or anything else in their place."""
    return st.fixed_dictionaries({}, optional=fields) | ANYTHING


SURROGATES = st.text(st.characters(codec=None, categories=("Ll", "Cs", "Lo", "Po", "Zs")), max_size=12)
A_WORD = near(begin_time=NUMBERISH, end_time=NUMBERISH, text=SURROGATES | ANYTHING, punctuation=SURROGATES | ANYTHING)
A_SENTENCE = near(
    begin_time=NUMBERISH,
    end_time=NUMBERISH,
    text=SURROGATES | ANYTHING,
    speaker_id=NUMBERISH,
    language=ANYTHING,
    words=st.lists(A_WORD, max_size=4) | ANYTHING,
)
A_CHANNEL = near(channel_id=NUMBERISH, text=ANYTHING, sentences=st.lists(A_SENTENCE, max_size=4) | ANYTHING)
A_RESULT = near(transcripts=st.lists(A_CHANNEL, max_size=3) | ANYTHING, properties=ANYTHING)


@settings(deadline=None)
@given(A_RESULT)
def test_any_json_is_a_transcript_or_unusable_and_nothing_else(body: object) -> None:
    try:
        transcript = read(body)
    except UnusableResult:
        return

    order = [(segment.start_ms, -1 if segment.channel is None else segment.channel) for segment in transcript.segments]
    assert order == sorted(order)
    for piece in (*transcript.segments, *(word for segment in transcript.segments for word in segment.words)):
        assert 0 <= piece.start_ms <= piece.end_ms


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_transcript_or_unusable_and_nothing_else(raw: bytes) -> None:
    with contextlib.suppress(UnusableResult):
        assert isinstance(parse(raw), Transcript)


@pytest.mark.parametrize("path", sorted(WORDS.glob("*.json")), ids=lambda path: path.stem)
def test_real_transcripts_keep_every_sentence_and_word(path: Path) -> None:
    raw = path.read_bytes()
    channel = json.loads(raw)["transcripts"][0]

    transcript = parse(raw)

    assert [segment.text for segment in transcript.segments] == [item["text"] for item in channel["sentences"]]
    assert sum(len(segment.words) for segment in transcript.segments) == sum(
        len(item["words"]) for item in channel["sentences"]
    )
    assert transcript.text == channel["text"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [([3720], 3.72), ([3720, 280], 4.0), ([], 0.0), ([3720, None], None), (["3720"], None), ([-1], None)],
)
def test_what_is_billed_for_a_result_is_the_speech_of_all_its_channels_if_each_says(
    said: list[Any], seconds: float | None
) -> None:
    raw = json.dumps({"transcripts": [{"content_duration_in_milliseconds": ms} for ms in said]}).encode()

    assert speech_seconds(raw) == (seconds if seconds is None else pytest.approx(seconds))


def test_a_document_of_countless_tiny_values_is_refused_before_it_fills_the_memory() -> None:
    raw = b'{"transcripts":[' + b"[]," * MOST_VALUES + b"0]}"

    with pytest.raises(UnusableResult, match="more values"):
        parse(raw)
