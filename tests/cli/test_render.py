"""`dropscribe render`: any format again from what is kept, for nothing, over nothing."""

import contextlib
import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from cli.house import House, files_below, run
from dropscribe.render.formats.json import SCHEMA
from dropscribe.render.quality import Report, Shown
from plain_user import plain_user_folder

WORDS = Path(__file__).parents[1] / "words"
TALK = WORDS / "zh_talk_mix.funasr.json"
RAW = TALK.read_bytes()
CALL = json.dumps(
    {
        "transcripts": [
            {"channel_id": at, "text": text, "sentences": [{"begin_time": 0, "end_time": 1500, "text": text}]}
            for at, text in enumerate(("Are you there?", "Yes, I am."))
        ]
    }
).encode()


@pytest.fixture
def house(tmp_path: Path) -> House:
    """One delivered talk whose result is kept."""
    return delivered(House(tmp_path, outputs=["json", "vtt"], speakers={0: "小林"}, subtitles={"lines": 1}))


def delivered(house: House) -> House:
    house.deliver("a/talk.mp3")
    change(house, "UPDATE result SET body = ?", gzip.compress(RAW))
    return house


def change(house: House, statement: str, *values: bytes) -> None:
    with contextlib.closing(sqlite3.connect(house.state / "ledger.sqlite")) as connection, connection:
        connection.execute(statement, values)


def ledger_of(house: House) -> bytes:
    return (house.state / "ledger.sqlite").read_bytes()


@pytest.mark.parametrize("place", ["inbox/a/talk.mp3", "outbox/a/talk.srt", "done/a/talk.mp3"])
def test_a_delivered_file_is_rendered_from_its_kept_result_and_the_ledger_is_only_read(
    house: House, place: str
) -> None:
    before = ledger_of(house)

    ran = house.run("render", str(house.root / place), "--format", "srt", "--out", str(house.root / "texts"))

    assert (ran.code, ran.err) == (0, "")
    assert files_below(house.root / "texts") == {"talk.srt"}
    assert "大家好，欢迎收听本期节目" in (house.root / "texts/talk.srt").read_text()
    assert ledger_of(house) == before


def test_without_options_all_is_as_the_inbox_has_it(house: House) -> None:
    house.run("render", "a/talk.mp3", "--out", str(house.root / "texts"))

    assert files_below(house.root / "texts") == {"talk.json", "talk.vtt"}
    text = (house.root / "texts/talk.vtt").read_text()
    assert "<v 小林>" in text
    assert all(
        len(block.split("\n")) == 2 for block in text.removeprefix("WEBVTT\n\n").removesuffix("\n\n").split("\n\n")
    )
    body = json.loads((house.root / "texts/talk.json").read_text())
    assert (body["schema"], body["source"]["name"], body["recognition"]["model"]) == (SCHEMA, "a/talk.mp3", "fun-asr")


def test_profile_and_speakers_of_the_call_count_more(house: House) -> None:
    options = ["--format", "vtt", "--profile", "shorts", "--speakers", "0=Anna, 1=Ben Li"]
    house.run("render", "a/talk.mp3", *options, "--out", str(house.root / "texts"))

    text = (house.root / "texts/talk.vtt").read_text()
    assert "<v Anna>" in text
    assert "<v Ben Li>" in text
    assert any(len(block.split("\n")) == 3 for block in text.split("\n\n")[1:])


def test_each_file_gets_a_line_on_its_quality(house: House) -> None:
    ran = house.run(
        "render", "a/talk.mp3", "--format", "srt", "--profile", "default", "--out", str(house.root / "texts")
    )

    [path, quality] = ran.out.splitlines()
    assert path.endswith("texts/talk.srt")
    assert "cues, " in quality
    assert " a minute, " in quality
    assert " % clean" in quality


def test_a_raw_result_is_rendered_by_its_path_without_any_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DROPSCRIBE_CONFIG", raising=False)

    ran = run("render", str(TALK), "--format", "srt,vtt", "--format", "json")

    assert (ran.code, ran.err) == (0, "")
    assert files_below(tmp_path) == {f"zh_talk_mix.{suffix}" for suffix in ("srt", "vtt", "json")}
    source = json.loads((tmp_path / "zh_talk_mix.json").read_text())["source"]
    assert source == {"name": TALK.name, "size": None, "sha256": None, "duration_ms": source["duration_ms"]}


def test_a_transcript_can_be_rendered_when_its_result_is_not_kept_any_more(house: House) -> None:
    first, second = house.root / "first", house.root / "second"
    house.run("render", "a/talk.mp3", "--format", "json,txt", "--out", str(first))
    change(house, "DELETE FROM result")

    gone = house.run("render", str(house.done / "a/talk.mp3"), "--out", str(second))
    ran = house.run("render", str(first / "talk.json"), "--format", "txt", "--out", str(second))
    raw = house.run("render", str(first / "talk.json"), "--format", "raw", "--out", str(second))

    assert (gone.code, ran.code, raw.code) == (1, 0, 1)
    assert "not kept any more" in gone.err
    assert "raw is what the service answered" in raw.err
    assert (second / "talk.txt").read_bytes() == (first / "talk.txt").read_bytes()


def test_nothing_that_stands_there_is_replaced_and_what_is_equal_is_well(house: House) -> None:
    out = house.root / "texts"
    first = house.run("render", "a/talk.mp3", "--format", "srt,txt", "--out", str(out))
    again = house.run("render", "a/talk.mp3", "--format", "srt,txt", "--out", str(out))
    (out / "talk.txt").write_text("a person's own")
    (out / "talk.srt").unlink()

    refused = house.run("render", "a/talk.mp3", "--format", "srt,txt", "--out", str(out))

    assert (first.code, again.code, refused.code) == (0, 0, 1)
    assert "talk.txt is there already" in refused.err
    assert files_below(out) == {"talk.txt"}
    assert (out / "talk.txt").read_text() == "a person's own"


def test_two_voices_at_once_are_shown_as_the_inbox_has_it_or_as_the_call_asks(tmp_path: Path) -> None:
    house = House(tmp_path, outputs=["srt"], subtitles={"dialog": True, "channel_files": True})
    house.deliver("a/call.mp3")
    change(house, "UPDATE result SET body = ?", gzip.compress(CALL))

    house.run("render", "a/call.mp3", "--out", str(tmp_path / "usual"))
    house.run("render", "a/call.mp3", "--profile", "shorts", "--out", str(tmp_path / "shorts"))
    house.run("render", "a/call.mp3", "--no-dialog", "--no-channel-files", "--out", str(tmp_path / "apart"))

    every = {"call.srt", "call.ch0.srt", "call.ch1.srt"}
    assert files_below(tmp_path / "usual") == files_below(tmp_path / "shorts") == every
    assert "\n- Are you there?\n- Yes, I am.\n" in (tmp_path / "usual/call.srt").read_text()
    assert files_below(tmp_path / "apart") == {"call.srt"}
    assert "- " not in (tmp_path / "apart/call.srt").read_text().replace("-->", "")


def test_where_the_file_of_one_channel_is_another_nothing_of_the_set_is_written(tmp_path: Path) -> None:
    (tmp_path / "call.json").write_bytes(CALL)
    (tmp_path / "call.ch1.srt").write_bytes(b"by hand")

    ran = run("render", str(tmp_path / "call.json"), "--channel-files", "--out", str(tmp_path))

    assert ran.code == 1
    assert "call.ch1.srt is there already" in ran.err
    assert files_below(tmp_path) == {"call.json", "call.ch1.srt"}


def test_two_files_of_one_stem_do_not_share_names(tmp_path: Path) -> None:
    for name in ("a/talk.json", "b/talk.funasr.json", "c/talk.json"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(RAW)

    ran = run("render", *map(str, sorted(tmp_path.glob("*/*"))), "--out", str(tmp_path / "o"))

    assert files_below(tmp_path / "o") == {"talk.srt", "talk.funasr.json.srt", "talk.json.srt"}
    assert ran.code == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"{}", "no list called"), (b"not json", "neither a result of Fun-ASR nor a transcript"), (b"", "neither")],
)
def test_what_is_no_result_is_said_to_be_none_and_the_others_are_rendered(
    tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    (tmp_path / "good.json").write_bytes(RAW)

    ran = run("render", str(tmp_path / "bad.json"), str(tmp_path / "good.json"), "--out", str(tmp_path / "o"))

    assert ran.code == 1
    assert why in ran.err
    assert files_below(tmp_path / "o") == {"good.srt"}


def test_a_file_without_a_result_is_explained(house: House) -> None:
    house.drop("waiting.mp3", b"another sound")
    house.take("waiting.mp3")

    out = str(house.root / "texts")

    assert "no result yet" in house.run("render", "waiting.mp3", "--out", out).err
    assert "knows no file here" in house.run("render", "nobody.mp3", "--out", out).err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x.mp3", "--format", "pdf"),
        ("x.mp3", "--profile", "film"),
        ("x.mp3", "--speakers", "Anna"),
        ("x.mp3", "--speakers", "0="),
        ("x.mp3", "--speakers", "a=Anna"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert House(tmp_path).run("render", *arguments).code == 64


def test_a_configuration_that_is_named_has_to_be_right(tmp_path: Path) -> None:
    assert run("render", str(TALK), "--config", str(tmp_path / "none.yaml"), "--out", str(tmp_path)).code == 78


def test_the_line_on_quality_says_what_is_wrong_and_where_it_is_first() -> None:
    from dropscribe.cli.render import quality_line

    report = Report(cues=4, clean=2, span_ms=60_000)
    report.faulty.update({"fast": 2, "line": 1})
    report.unclean = [(Shown(61_000, 62_000, ("x",)), ("fast", "line")), (Shown(1000, 2000, ("y",)), ("fast",))]

    assert quality_line(report) == (
        "4 cues, 4.0 a minute, 50.0 % clean; 2 too fast to read (first 00:00:01), 1 breaks a line inside one (00:01:01)"
    )
    assert quality_line(Report()) == "0 cues: nothing was said"


def test_a_place_that_cannot_be_made_is_named_without_numbers(house: House) -> None:
    ran = house.run("render", "a/talk.mp3", "--out", "/proc/texts")
    assert ran.code == 1
    assert ran.err == "Error: --out cannot be made: /proc/texts: No such file or directory; name another folder\n"


def test_a_place_that_cannot_be_written_is_named_and_not_the_source() -> None:
    with plain_user_folder() as folder:
        house = delivered(House(folder))
        texts = folder / "texts"
        texts.mkdir(mode=0o500)
        ran = house.run("render", "a/talk.mp3", "--format", "srt", "--out", str(texts))
    assert ran.code == 1
    assert ran.err == f"a/talk.mp3: nothing can be written into --out {texts}: Permission denied\n"
