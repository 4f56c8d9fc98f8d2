"""An edition: names of speakers, and cues that are checked against the text before anybody sees them."""

from collections.abc import Sequence

from dropscribe.model import Segment, Transcript
from dropscribe.render.characters import cells
from dropscribe.render.edition import Edition
from render.documents import edition, said, spoken, transcript


def voices(*speakers: tuple[int | None, int | None]) -> Transcript:
    """Sentences by (channel, speaker)."""
    return transcript(*(spoken("Hello there.", 1000 * at, channel=c, speaker=s) for at, (c, s) in enumerate(speakers)))


def test_speakers_are_named_as_configured_and_otherwise_by_their_number() -> None:
    of = edition(voices((0, 0), (0, 1)), {0: "Anna"})

    assert [of.name(0, speaker) for speaker in (0, 1)] == ["Anna", "Speaker 1"]


def test_a_single_voice_needs_no_name() -> None:
    assert edition(voices((0, 0))).name(0, 0) is None
    assert edition(voices((0, None))).name(0, None) is None
    assert edition(voices((0, 0)), {0: "Anna"}).name(0, 0) == "Anna"


def test_channels_are_named_where_no_speakers_are_told_apart() -> None:
    of = edition(voices((0, None), (1, None)), {1: "Ben"})

    assert [of.name(channel, None) for channel in (0, 1)] == ["Channel 0", "Ben"]


def test_a_name_as_long_as_half_a_line_is_no_label() -> None:
    of = edition(voices((0, 0)), {0: "Anna", 1: "A" * 30})

    assert [of.label(0, speaker, "latin") for speaker in (0, 1, 2)] == ["Anna: ", "", ""]


def test_where_channels_interrupt_each_other_every_cue_of_srt_has_room_for_its_name() -> None:
    talk = [spoken("ask not what your country can do for you, " * 9, 100 * c, channel=c) for c in (0, 1)]
    of = edition(transcript(*talk), {0: "Anna", 1: "Ben"})

    assert max(cells(line) for cue in of.cues("srt") for line in cue.texts) <= 42 - len("Ben: ")
    assert max(cells(line) for cue in of.cues("vtt") for line in cue.texts) > 42 - len("Ben: ")


def test_cues_are_cut_once_for_all_formats_that_have_the_same_limits() -> None:
    usual, podcast = edition(voices((0, 0))), edition(voices((0, 0)), profile="podcast")

    assert usual.cues("srt") is usual.cues("vtt")
    assert podcast.cues("srt") is not podcast.cues("vtt")


class Forgetful(Sequence[Segment]):
    """Segments that say something else each time they are asked."""

    def __init__(self, *takes: tuple[Segment, ...]) -> None:
        self._takes = list(takes)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, at):
        return self._takes[0][at]

    def __iter__(self):
        take = self._takes.pop(0) if len(self._takes) > 1 else self._takes[0]
        return iter(take)


def test_cues_that_do_not_hold_the_text_give_way_to_one_a_sentence_and_a_note() -> None:
    whole, cut = (said("All of it.", 0, 900),), (said("Half", 0, 900),)
    of = edition(Transcript(None, "All of it.", Forgetful(cut, whole)))  # type: ignore[arg-type]

    found = of.cues("srt")

    assert [cue.texts for cue in found] == [["All of it."]]
    assert ["one cue a sentence" in note for note in of.notes] == [True]


def test_whatever_goes_wrong_with_the_cutting_the_text_is_shown() -> None:
    whole = (said("All of it.", 0, 900),)
    broken = (Segment(0, 900, 0, None, None, "All of it.", (None,)),)  # type: ignore[arg-type]
    of = edition(Transcript(None, "All of it.", Forgetful(broken, whole)))  # type: ignore[arg-type]

    assert [cue.texts for cue in of.cues("srt")] == [["All of it."]]
    assert "AttributeError" in of.notes[0]


def test_an_edition_of_silence_has_no_cues() -> None:
    of: Edition = edition(transcript())

    assert of.cues("srt") == []
    assert of.channels == ()
