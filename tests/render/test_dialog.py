"""Dialogs: two short cues of two voices in one, every word there while it is said, and no channel over itself."""

from itertools import pairwise

from hypothesis import given, settings

from dropscribe.model import Segment, Transcript
from dropscribe.render.characters import cells
from dropscribe.render.cues import Cue, cues
from dropscribe.render.dialog import Showing, alone, dash, dialogs
from dropscribe.render.profiles import Subtitles
from render.documents import LIMITS, TALKS, TRANSCRIPTS, said, spoken, transcript


def talk(*segments: Segment, **subtitles) -> list[Showing]:
    return dialogs(cues(transcript(*segments), Subtitles(**subtitles)))


def texts(found: list[Showing]) -> list[list[str]]:
    return [[cue.texts[0] for cue in showing.cues] for showing in found]


def test_short_cues_that_are_heard_at_once_on_two_channels_share_a_cue() -> None:
    (showing,) = talk(said("Are you there?", 0, 1500, channel=0), said("Yes, I am.", 400, 2000, channel=1))

    assert texts([showing]) == [["Are you there?", "Yes, I am."]]
    assert (showing.start_ms, showing.end_ms) == (0, 2000)


def test_cues_that_hardly_overlap_stay_apart() -> None:
    found = talk(said("Are you there?", 0, 1500, channel=0), said("Yes, I am.", 1200, 2800, channel=1))

    assert texts(found) == [["Are you there?"], ["Yes, I am."]]


def test_one_voice_alone_on_its_channel_is_no_dialog() -> None:
    assert len(talk(said("Here I am.", 0, 1500), said("And here.", 4000, 5500))) == 2


def test_a_cue_of_two_lines_stays_alone() -> None:
    long = "It is a long way to the sea, and we went there on foot."

    assert len(talk(spoken(long, channel=0), spoken("Did you really?", channel=1, each=1000))) == 2


def test_where_a_cue_has_one_line_there_are_no_dialogs() -> None:
    both = (said("Are you there?", 0, 1500, channel=0), said("Yes, I am.", 400, 2000, channel=1))

    assert len(talk(*both, lines=1)) == 2


def test_a_line_without_room_for_a_dash_stays_alone() -> None:
    wide = "x" * 41

    assert len(talk(said(wide, 0, 4000, channel=0), said("Yes, I am.", 400, 2000, channel=1))) == 2


def test_turns_too_quick_to_be_read_share_a_cue() -> None:
    turns = [
        spoken("Did you see them yesterday?", 0, speaker=0),
        spoken("No.", 1500, each=200, speaker=1),
        spoken("Nobody saw anything of it at all.", 1700, speaker=0),
    ]
    apart = cues(transcript(*turns), Subtitles())
    assert min(cue.end_ms - cue.start_ms for cue in apart) < 833

    found = dialogs(apart)

    assert texts(found)[0] == ["Did you see them yesterday?", "No."]
    assert all(showing.end_ms - showing.start_ms >= 833 for showing in found)


def test_turns_that_can_be_read_stay_apart() -> None:
    turns = (spoken("Did you see them?", 0, speaker=0), spoken("No, I did not.", 1500, speaker=1))

    assert len(talk(*turns)) == 2


def test_a_dialog_goes_before_the_next_cue_of_either_channel_comes() -> None:
    found = talk(
        spoken("Are you there?", 0, each=500, channel=0, speaker=0),
        spoken("Yes, I am.", 300, each=400, channel=1),
        spoken("Listen to her for a moment.", 1600, channel=0, speaker=1),
    )

    assert texts(found)[0] == ["Are you there?", "Yes, I am."]
    assert found[0].end_ms <= found[1].start_ms


def test_voices_stay_apart_where_one_speaks_on_beyond_what_follows_the_other() -> None:
    found = talk(
        spoken("Are you there?", 0, each=500, channel=0, speaker=0),
        spoken("Yes, I am.", 300, each=900, channel=1),
        spoken("Listen to her for a moment.", 1600, channel=0, speaker=1),
    )

    assert all(len(showing.cues) == 1 for showing in found)


def test_a_dash_is_followed_by_a_space_but_not_in_chinese() -> None:
    (english,) = cues(transcript(said("Yes.")), Subtitles())
    (chinese,) = cues(transcript(said("你好。")), Subtitles())

    assert (dash(english), dash(chinese)) == ("- ", "-")


def check(found: list[Showing], of: list[Cue]) -> None:
    """What holds for every talk."""
    assert sorted(map(id, of)) == sorted(id(cue) for showing in found for cue in showing.cues)
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(found))
    for channel in {cue.channel for cue in of}:
        own = [showing for showing in found if channel in {cue.channel for cue in showing.cues}]
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(own))
    for showing in found:
        assert 0 < showing.end_ms - showing.start_ms <= max(cue.limits.longest_ms for cue in showing.cues)
        for cue in showing.cues:
            said_until = max(token.end_ms for line in cue.lines for token in line)
            assert showing.start_ms <= cue.start_ms
            assert showing.end_ms >= min(cue.end_ms, said_until)
        if len(showing.cues) > 1:
            first, second = showing.cues
            assert (first.channel, first.speaker) != (second.channel, second.speaker)
            assert all(len(cue.lines) == 1 and cue.limits.lines > 1 for cue in showing.cues)
            assert all(cells(dash(cue) + cue.texts[0]) <= cue.limits.line for cue in showing.cues)


@settings(deadline=None, max_examples=100)
@given(TALKS, LIMITS)
def test_whoever_interrupts_whom_no_word_is_lost_late_or_over_another_of_its_channel(
    any_talk: Transcript, limits: Subtitles
) -> None:
    of = cues(any_talk, limits)

    check(dialogs(of), of)
    check(alone(of), of)


@settings(deadline=None, max_examples=30)
@given(TRANSCRIPTS, LIMITS)
def test_the_same_holds_for_whatever_is_said(any_speech: Transcript, limits: Subtitles) -> None:
    of = cues(any_speech, limits)

    check(dialogs(of), of)
