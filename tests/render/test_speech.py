"""Runs: one speaker, one script, no long pause; sentences do not end them."""

from itertools import pairwise

from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render.speech import Run, by_channel, runs
from render.documents import TRANSCRIPTS, said, spoken, transcript


def one_channel(*segments) -> list[Run]:
    (found,) = runs(transcript(*segments)).values()
    return found


def texts(found: list[Run]) -> list[str]:
    return ["".join(token.text for token in run.tokens) for run in found]


def test_sentences_of_one_speaker_are_one_run_with_a_space_between_them() -> None:
    (run,) = one_channel(spoken("Hello world.", 0), spoken("How are you?", 700))

    assert texts([run]) == ["Hello world. How are you?"]
    assert run.sentences == (True, False, True, False, False)


def test_no_space_is_put_between_chinese_sentences() -> None:
    assert texts(one_channel(said("你好。", 0, 500), said("再见。", 600, 900))) == ["你好。再见。"]


def test_another_speaker_a_long_pause_and_another_script_end_a_run() -> None:
    found = one_channel(
        spoken("Hello world again and again.", 0, speaker=0),
        spoken("Hello to you as well.", 1600, speaker=1),
        spoken("Later there is more.", 9000, speaker=1),
        said("说完英文以后我们说一会儿中文。", 10_300, 12_000, speaker=1),
    )

    assert [run.speaker for run in found] == [0, 1, 1, 1]
    assert [run.script for run in found] == ["latin", "latin", "latin", "han"]
    assert [run.until_ms for run in found] == [1600, 9000, 10_300, None]


def test_a_closing_quote_that_opens_the_next_sentence_goes_back() -> None:
    found = one_channel(said("他问：“谁干的？", 0, 2000, speaker=1), said("”如果你知道", 2000, 4000, speaker=1))

    assert [token.text for token in found[0].tokens][-6:] == ["的？”", "如", "果", "你", "知", "道"]


def test_a_closing_quote_does_not_go_over_to_another_speaker() -> None:
    found = one_channel(said("谁干的？", 0, 2000, speaker=1), said("”如果你知道", 2000, 4000, speaker=0))

    assert texts(found) == ["谁干的？", "”如果你知道"]


def test_words_that_were_given_whole_are_known_in_the_whole_channel() -> None:
    segment = spoken("联合国 这里 Hello", 0)

    assert one_channel(segment.__class__(0, 900, 0, None, None, "联合国这里Hello", segment.words))[0].vocabulary == {
        "联合国",
        "这里",
    }


def test_channels_are_told_apart() -> None:
    found = runs(transcript(said("A b c d e f g h", channel=0), said("你好你好你好你好", channel=1)))

    assert {channel: run.script for channel, (run,) in found.items()} == {0: "latin", 1: "han"}


@settings(deadline=None, max_examples=60)
@given(TRANSCRIPTS)
def test_runs_hold_the_text_of_their_channel_in_order_of_time(any_speech: Transcript) -> None:
    channels = by_channel(any_speech)
    for channel, found in runs(any_speech).items():
        tokens = [token for run in found for token in run.tokens]
        whole = "".join(segment.text for segment in channels[channel])
        assert "".join("".join(token.text for token in tokens).split()) == "".join(whole.split())
        assert all(a.start_ms <= b.start_ms for a, b in pairwise(tokens))
        assert all(token.start_ms <= token.end_ms for token in tokens)
