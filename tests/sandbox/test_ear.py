"""What the sandbox's ear heard, as a recording; what it could not make out it says."""

from pathlib import Path
from typing import Any

import pytest

from dropscribe.sandbox.agreement import Agreement, agreement
from dropscribe.sandbox.ear import SURE_ENOUGH, UNHEARD, Ear, Unheard, harmless, missing, recording
from dropscribe.sandbox.transcripts import demo_recordings

needs_the_extra = pytest.mark.skipif(bool(missing()), reason="the extra `sandbox` is not installed")
HELLO = [[[100, 400, "hello"], [400, 900, "there"]], [[2000, 2500, "bye"]]]


def answer(*heard: dict[str, Any]) -> dict[str, Any]:
    return {"sample_rate": 44_100, "duration_ms": 3000, "heard": list(heard)}


def channel(number: int = 0, certainty: float = 0.9, sentences: Any = HELLO) -> dict[str, Any]:
    return {"channel": number, "certainty": certainty, "sentences": sentences}


def test_every_word_keeps_the_times_at_which_it_was_heard() -> None:
    found = recording(answer(channel()), "flac")
    assert (found.format, found.sample_rate, found.duration_ms) == ("flac", 44_100, 3000)
    assert [sentence.text for sentence in found.sentences] == ["hello there", "bye"]
    assert found.sentences[0].phrases == ((100, 400, "hello "), (400, 900, "there"))


def test_each_channel_speaks_for_itself() -> None:
    found = recording(answer(channel(0), channel(1, sentences=[[[5, 6, "other"]]])), "wav")
    assert [(sentence.channel, sentence.text) for sentence in found.sentences][-1] == (1, "other")
    assert found.text == "hello there bye"


def test_the_process_that_listens_has_no_keys_around() -> None:
    assert harmless({"PATH": "/bin", "DASHSCOPE_API_KEY": "sk-secret", "AWS_SECRET": "s"}) == {"PATH": "/bin"}


def test_what_it_is_not_sure_of_it_says_instead_of_guessing() -> None:
    found = recording(answer(channel(certainty=SURE_ENOUGH - 0.01)), "mp3")
    assert [sentence.phrases for sentence in found.sentences] == [((100, 2500, UNHEARD),)]


def test_a_recording_without_speech_fails_as_it_does_at_the_service() -> None:
    with pytest.raises(Unheard) as unheard:
        recording(answer(channel(sentences=[])), "mp3")
    assert unheard.value.code == "SUCCESS_WITH_NO_VALID_FRAGMENT"


@pytest.mark.parametrize(
    ("spoken", "heard", "found"),
    [
        ("Ask not what, my fellow Americans!", "ask what my fellow american", Agreement(4, 6)),
        ("real-time", "real time", Agreement(2, 2)),
        ("欢迎大家", "[Not recognised]", Agreement(0, 0)),
        ("One, two.", "", Agreement(0, 2)),
    ],
)
def test_words_agree_in_their_order_whatever_their_spelling(spoken: str, heard: str, found: Agreement) -> None:
    assert agreement(spoken, heard) == found


@needs_the_extra
async def test_a_file_that_is_no_recording_fails_with_the_services_word_for_it(tmp_path: Path) -> None:
    file = tmp_path / "letter.mp3"
    file.write_bytes(b"Dear Sir or Madam, " * 100)
    with pytest.raises(Unheard) as unheard:
        await Ear().listen(file, "mp3", [0])
    assert unheard.value.code == "DECODE_ERROR"


@needs_the_extra
@pytest.mark.journey
async def test_mandarin_is_not_taken_for_english() -> None:
    [welcome] = [Path(str(one)) for one in demo_recordings() if one.name == "welcome_zh.wav"]
    assert (await Ear().listen(welcome, "wav", [0])).text == UNHEARD
