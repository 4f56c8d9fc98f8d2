"""`dropscribe plan`: what it would cost, before anything is spent, without a daemon and without a network."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.house import House

RECORDINGS = Path(__file__).parents[2] / "daemon/dropscribe/sandbox/recordings"
SPEECH = RECORDINGS / "jfk_en.flac"  # 11 s
STEREO = [0, 1]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def asked(house: House, *arguments: str) -> Any:
    ran = house.run("plan", "--json", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def test_it_tells_files_hours_bytes_and_price_of_what_lies_there_and_creates_nothing(house: House) -> None:
    shutil.copy(SPEECH, house.inbox / "talk.flac")
    house.drop("memo.mp3", bytes(80_000))
    house.drop("note.txt")

    said = asked(house)

    assert said["total"]["files"] == 2
    assert said["total"]["bytes"] == SPEECH.stat().st_size + 80_000
    assert said["total"]["hours"] == pytest.approx((11.0 + 10.0) / 3600, abs=1e-4)
    assert said["total"]["guessed_files"] == 1
    assert (said["total"]["currency"], said["total"]["price"]) == ("CNY", pytest.approx(21 * 0.00022, abs=1e-4))
    assert [entry["path"] for entry in said["not_taken"]] == [str(house.inbox / "note.txt")]
    assert not house.state.exists()


def test_each_channel_is_counted(tmp_path: Path) -> None:
    house = House(tmp_path, recognition={"channel_id": STEREO})
    shutil.copy(SPEECH, house.inbox / "talk.flac")

    assert asked(house)["total"]["hours"] == pytest.approx(22.0 / 3600, abs=1e-4)


def test_what_is_recognised_already_or_lies_there_twice_costs_nothing(house: House) -> None:
    house.deliver("old.mp3", b"known")
    house.drop("same.mp3", b"known")
    house.drop("new.mp3", b"new")
    house.drop("copy.mp3", b"new")

    said = asked(house)

    assert (said["total"]["files"], said["known"], said["copies"]) == (1, 1, 1)


def test_the_same_content_with_other_settings_costs_again(house: House) -> None:
    house.deliver("old.mp3", b"known")
    house.configure({"name": "talks", "inbox": "inbox", "recognition": {"language_hints": ["de"]}})
    house.drop("same.mp3", b"known")

    assert asked(house)["total"]["files"] == 1


def test_what_was_taken_counts_until_it_is_submitted(house: House) -> None:
    house.drop("talk.mp3")
    house.take("talk.mp3")
    assert asked(house)["total"]["files"] == 1

    house.upload()
    house.submit()

    assert asked(house)["total"]["files"] == 0


def test_a_keep_library_pays_for_nothing_that_has_its_outputs(tmp_path: Path) -> None:
    house = House(tmp_path, done="keep")
    house.deliver("old.mp3", b"known")
    house.drop("new.mp3", b"new")

    assert asked(house)["total"]["files"] == 1


def test_a_file_of_a_keep_library_whose_transcript_cannot_be_read_is_not_taken_and_says_why(tmp_path: Path) -> None:
    house = House(tmp_path, done="keep")
    house.drop("old/talk.mp3")
    (tmp_path / "outbox/old").symlink_to("/nowhere/archive")

    said = asked(house)

    assert said["total"]["files"] == 0
    assert "may have been paid before" in said["not_taken"][0]["reason"]


def test_a_file_or_a_folder_that_was_not_dropped_yet_may_be_named(house: House, tmp_path: Path) -> None:
    (tmp_path / "card/a").mkdir(parents=True)
    shutil.copy(SPEECH, tmp_path / "card/a/talk.flac")
    shutil.copy(SPEECH, tmp_path / "loose.flac")

    said = asked(house, str(tmp_path / "card"), str(tmp_path / "loose.flac"))

    assert (said["total"]["files"], said["copies"]) == (1, 1)
    assert said["inboxes"][0]["name"] == "talks"


def test_a_path_that_is_not_there_or_an_inbox_that_nobody_knows_is_an_error(house: House) -> None:
    missing = house.run("plan", str(house.root / "nothing.mp3"))
    assert missing.code == 1
    assert "nothing.mp3" in missing.err

    unknown = house.run("plan", "--inbox", "calls", str(house.root))
    assert unknown.code == 64
    assert "talks" in unknown.err


def test_own_prices_and_limits_are_held_against_it(house: House) -> None:
    house.configure(
        {"name": "talks", "inbox": "inbox"},
        prices={"currency": "EUR", "per_hour": {"fun-asr": 36.0}},
        limits={"hours_per_day": 0.001},
    )
    shutil.copy(SPEECH, house.inbox / "talk.flac")

    said = house.run("plan").out

    assert "1 file, 11 s, 1.2 MB, about 0.11 EUR (fun-asr)" in said
    assert "your configuration" in said
    assert "4 s of 4 s are left this day" in said
    assert "Longer than a whole limit" in said
