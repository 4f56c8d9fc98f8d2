"""Every format of the table writes every transcript, as UTF-8."""

from hypothesis import given, settings

from dropscribe.model import Transcript
from dropscribe.render import FORMATS, render_all
from render.documents import TRANSCRIPTS, document, said, transcript


def test_the_wanted_outputs_are_rendered_and_no_others() -> None:
    spoken = document(transcript(said("Hello.")))

    assert set(render_all(spoken, ["json", "srt"])) == {"json", "srt"}
    assert set(render_all(spoken, ["srt"])) == {"srt"}


def test_a_format_is_listed_under_its_own_name() -> None:
    assert all(format.name == name for name, format in FORMATS.items())


def test_half_a_character_becomes_a_replacement_character() -> None:
    spoken = document(transcript(said("a\ud800b")), settings={"vocabulary_id": "\udfff"})

    rendered = render_all(spoken, ["json", "srt"])

    assert '"a\ufffdb"' in rendered["json"].decode()
    assert "a\ufffdb" in rendered["srt"].decode()


@settings(deadline=None)
@given(TRANSCRIPTS)
def test_any_transcript_gives_utf8_without_bom_and_with_plain_line_ends(spoken: Transcript) -> None:
    for content in render_all(document(spoken), list(FORMATS)).values():
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        assert content.decode() == "" or content.endswith(b"\n")
