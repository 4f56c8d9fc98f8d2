"""Formats that are read rather than shown: txt, md, tsv, raw."""

from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render.formats import md, tsv, txt
from dropscribe.render.plain import letters
from render.documents import TRANSCRIPTS, document, edition, said, spoken, transcript

TALK = transcript(
    spoken("Are you coming?", 15_000, speaker=0),
    spoken("No.", 16_000, speaker=1),
    spoken("Not *today*.", 16_500, speaker=1),
)


def test_txt_is_paragraphs_with_names_where_there_are_several_speakers() -> None:
    assert txt.render(edition(TALK, {0: "Anna"})) == "Anna: Are you coming?\n\nSpeaker 1: No. Not *today*.\n"
    assert txt.render(edition(transcript(said("Hello.")))) == "Hello.\n"
    assert txt.render(edition(transcript())) == ""


def test_md_has_facts_times_and_names_and_shows_marks_as_marks() -> None:
    text = md.render(edition(TALK, {0: "Anna"}))

    assert text.startswith('---\ntitle: "a/talk.mp3"\nmodel: "fun-asr"\n---\n\n')
    assert "\n**[00:00:15] Anna:** Are you coming?\n" in text
    assert "\n**[00:00:16] Speaker 1:** No. Not \\*today\\*.\n" in text


def test_md_names_the_duration_where_it_is_known() -> None:
    assert 'duration: "00:01:05"' in md.render(edition(Transcript(65_200, "", ())))


def test_tsv_is_whispers_with_a_column_of_speakers_where_they_are_told_apart() -> None:
    assert tsv.render(edition(transcript(said("a\tb", 100, 2000)))) == "start\tend\ttext\n100\t2000\ta b\n"
    assert tsv.render(edition(TALK, {1: "Ben"})).split("\n")[:2] == [
        "start\tend\ttext\tspeaker",
        "15000\t15900\tAre you coming?\tSpeaker 0",
    ]


@settings(deadline=None, max_examples=40)
@given(TRANSCRIPTS)
def test_every_letter_is_there_in_order(of: Transcript) -> None:
    whole = letters("".join(segment.text for segment in of.segments))
    alone = edition(
        Transcript(None, "", tuple(s.__class__(s.start_ms, s.end_ms, 0, None, None, s.text) for s in of.segments))
    )

    assert letters(txt.render(alone)) == whole
    assert letters("".join(row.split("\t")[2] for row in tsv.render(alone).split("\n")[1:-1])) == whole
    marked = md.render(alone).partition("\n---\n")[2]
    assert letters(_unescaped(marked)) == whole


def _unescaped(text: str) -> str:
    import re

    without_times = re.sub(r"^\*\*\[\d+:\d\d:\d\d\]\*\* ", "", text, flags=re.M)
    return re.sub(r"\\([\\`*_\[\]<>&~|$])", r"\1", without_times)


def test_the_document_is_named_in_md_only() -> None:
    assert document(TALK).source_name in md.render(edition(TALK))
