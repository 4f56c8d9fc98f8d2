"""Subtitles as programs read them that others wrote: pysubs2, srt, webvtt-py, and FFmpeg through PyAV."""

import io
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import av
import pysubs2
import pytest
import srt
import webvtt

from dropscribe.render.cues import Cue
from dropscribe.render.formats import ass, vtt
from dropscribe.render.formats import srt as ours
from dropscribe.render.plain import plain
from render.documents import REAL, edition, real, said, spoken, transcript

Read = tuple[int, int, str]
"""Start and end in ms, and the letters that are shown."""

HOSTILE = [
    "Is a --> b, or b --> a?",
    "a < b && c > d <unk> <b>bold</b> </v>",
    "We say &lt; and &amp; and so on.",
    "Everything at the top {\\an8} of it.",
    "C:\\New\\home\\none and \\N is no end.",
    "one\n\ntwo\r\n\r\nthree",
    "bell\x07 and escape\x1b[31m and\x85 others\u2028 too",
    "12\n00:00:01,000 --> 00:00:02,000\nnot a cue",
    "right \u202eto\u202c left",
    "👨\u200d👩\u200d👧 and 🇨🇳 and e\u0301",
    "NOTE this is none",
    "WEBVTT",
    "NATO قال ذلك",
]


def letters(text: str) -> str:
    return re.sub("[\\s\x00-\x1f\x7f-\x9f\u2028\u2060\u200f\ufeff]+", "", text)


def by_srt(text: str) -> list[Read]:
    found = srt.parse(text)
    return [(_ms(one.start), _ms(one.end), letters(one.content)) for one in found]


def by_webvtt(text: str) -> list[Read]:
    """It does not undo escapes."""
    found = webvtt.from_buffer(io.BytesIO(text.encode()), format="vtt")
    return [
        (_clock(one.start), _clock(one.end), letters(_unescaped(re.sub(r"<[^>]*>", "", one.raw_text)))) for one in found
    ]


def by_pysubs2(text: str) -> list[Read]:
    found = pysubs2.SSAFile.from_string(text)
    return [(one.start, one.end, letters(one.plaintext)) for one in found]


def by_ffmpeg(text: str, name: str) -> list[Read]:
    found: list[Read] = []
    with av.open(io.BytesIO(text.encode()), format=name) as container:
        for packet in container.demux():
            if packet.dts is None or packet.time_base is None:
                continue
            for subtitle in packet.decode():
                dialogue = subtitle.ass.decode()
                start = round(1000 * float(packet.pts * packet.time_base))
                end = start + round(1000 * float(packet.duration * packet.time_base))
                found.append((start, end, letters(_of_ass(dialogue))))
    return found


def _of_ass(dialogue: str) -> str:
    """What libass would show of FFmpeg's own form."""
    text = dialogue.split(",", 8)[8]
    text = re.sub(r"(?<!\\)\{[^}]*\}", "", text)
    return re.sub(r"\\([{}])", r"\1", re.sub(r"\\[Nn]", " ", text).replace("\\h", " "))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _ms(delta) -> int:
    return round(delta.total_seconds() * 1000)


def _clock(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    return round(((int(hours) * 60 + int(minutes)) * 60 + float(seconds)) * 1000)


def meant(cues: Sequence[Cue], step: int = 1) -> list[Read]:
    near = lambda ms: (ms + step // 2) // step * step  # noqa: E731
    return [
        (near(cue.start_ms), near(cue.end_ms), letters("".join(map(plain, cue.texts))))
        for cue in cues
        if letters("".join(cue.texts))
    ]


READERS: dict[str, tuple[Callable[..., str], Callable[[str], list[Read]], int]] = {
    "srt by srt": (ours.render, by_srt, 1),
    "srt by FFmpeg": (ours.render, lambda text: by_ffmpeg(text, "srt"), 1),
    "srt by pysubs2": (ours.render, by_pysubs2, 1),
    "vtt by webvtt-py": (vtt.render, by_webvtt, 1),
    "vtt by FFmpeg": (vtt.render, lambda text: by_ffmpeg(text, "webvtt"), 1),
    "ass by FFmpeg": (ass.render, lambda text: by_ffmpeg(text, "ass"), 10),
    "ass by pysubs2": (ass.render, by_pysubs2, 10),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("path", [path for path in REAL if path.stat().st_size < 200_000], ids=lambda path: path.stem)
def test_real_transcripts_read_back_identically(reader: str, path: Path) -> None:
    render, read, step = READERS[reader]
    of = edition(real(path))

    assert read(render(of)) == meant(of.cues(), step)


@pytest.mark.parametrize("read", [by_srt, lambda text: by_ffmpeg(text, "srt"), by_pysubs2])
def test_dialogs_read_back_as_one_cue_of_two_lines(read: Callable[[str], list[Read]]) -> None:
    talk = [
        *(said("Are you coming?", at, at + 1500, channel=0) for at in (0, 8000)),
        *(said("<Yes>, I am.", at + 300, at + 1700, channel=1) for at in (0, 8000)),
    ]

    found = read(ours.render(edition(transcript(*talk), dialog=True)))

    assert [text for _, _, text in found] == ["-Areyoucoming?-<Yes>,Iam."] * 2
    assert [end - start >= 1700 for start, end, _ in found] == [True, True]


CANNOT = {
    ("srt by pysubs2", "{\\an8}"): "takes all braces for overrides",
    ("srt by FFmpeg", "{\\an8}"): "takes braces for overrides of ASS",
    ("ass by pysubs2", "{\\an8}"): "takes escaped braces for overrides",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_read_back_identically(reader: str, text: str) -> None:
    reason = next((why for (name, part), why in CANNOT.items() if name == reader and part in text), None)
    if reason:
        pytest.skip(f"{reader.rsplit(maxsplit=1)[-1]} {reason}")
    render, read, step = READERS[reader]
    of = edition(transcript(said(text, 1000, 5000), spoken("And on it goes.", 8000)))

    assert read(render(of)) == meant(of.cues(), step)


@pytest.mark.parametrize("reader", [name for name in READERS if "pysubs2" not in name])
@pytest.mark.parametrize("hours", [9, 10, 24, 99, 100, 1000])
def test_times_beyond_a_day_and_beyond_a_hundred_hours_read_back(reader: str, hours: int) -> None:
    if hours >= 100 and reader == "srt by FFmpeg":
        pytest.skip("FFmpeg reads two digits of hours")
    render, read, step = READERS[reader]
    of = edition(transcript(spoken("So late an hour.", hours * 3_600_000 + 59 * 60_000 + 59_990)))

    assert read(render(of)) == meant(of.cues(), step)


def test_karaoke_runs_from_the_start_of_a_cue_to_the_end_of_its_last_word() -> None:
    of = edition(
        transcript(*(spoken("We sing and then we rest.", 4000 * at, each=333) for at in range(20))), words=True
    )

    for one in pysubs2.SSAFile.from_string(ass.render(of)):
        syllables = [int(found) for found in re.findall(r"\\k(\d+)", one.text)]
        assert abs(one.start + 10 * sum(syllables) - (one.start + 6 * 333)) <= 10


def test_word_times_are_strictly_inside_their_cue_and_strictly_later_each_time() -> None:
    of = edition(real(REAL[1]), words=True)
    text = vtt.render(of)

    for cue, block in zip(of.cues(), text.split("\n\n")[2:], strict=False):
        found = [_clock(stamp) for stamp in re.findall(r"<(\d\d+:\d\d:\d\d\.\d{3})>", block)]
        assert all(a < b for a, b in pairwise([cue.start_ms, *found, cue.end_ms]))
    assert by_webvtt(text) == meant(of.cues())
