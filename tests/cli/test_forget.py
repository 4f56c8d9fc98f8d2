"""`dropscribe forget`: what the state folder keeps of a file is gone; nothing else is touched."""

import os
import sqlite3
from pathlib import Path

import pytest

from cli.house import House, files_below

TABLES = ("media", "output", "recognition", "result", "batch_item", "stored_object")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def rows(house: House) -> dict[str, int]:
    """How many rows each table of a file's story has."""
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


@pytest.mark.parametrize("place", ["inbox/a/talk.mp3", "outbox/a/talk.srt", "done/a/talk.mp3"])
def test_a_delivered_file_leaves_nothing_in_the_ledger_and_keeps_its_outputs(house: House, place: str) -> None:
    house.deliver("a/talk.mp3")
    before = files_below(house.outbox) | files_below(house.done)

    ran = house.run("forget", str(house.root / place))

    assert (ran.code, ran.err) == (0, "")
    assert rows(house) == dict.fromkeys(TABLES, 0)
    assert files_below(house.outbox) | files_below(house.done) == before
    assert house.run("status", "a/talk.mp3").code == 1


def test_a_failed_file_is_forgotten_with_its_tries(house: House) -> None:
    house.fail("bad.mp3")
    os.rename(house.failed / "bad.mp3", house.inbox / "bad.mp3")
    house.fail("bad.mp3")

    ran = house.run("forget", str(house.failed / "bad.mp3"))

    assert (ran.code, rows(house)) == (0, dict.fromkeys(TABLES, 0))


def test_its_name_and_content_hash_are_not_in_the_ledger_any_more(house: House) -> None:
    house.deliver("private-name.mp3")
    house.run("forget", "private-name.mp3")
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        dump = "\n".join(connection.iterdump())
    assert b"private-name".hex().upper() not in dump
    assert "private-name" not in dump


def test_a_result_that_another_file_uses_stays(house: House) -> None:
    house.drop("one.mp3")
    house.drop("two.mp3")
    house.take("one.mp3", "two.mp3")
    house.upload()
    house.answer(house.submit())
    house.settle()

    house.run("forget", "one.mp3")
    shared = rows(house)
    house.run("forget", "two.mp3")

    assert (shared["media"], shared["result"], shared["recognition"]) == (1, 1, 1)
    assert rows(house)["result"] == 0


def test_one_of_two_files_of_the_same_name_is_forgotten_by_its_place_in_done(house: House) -> None:
    house.deliver("talk.mp3", b"first")
    os.rename(house.done / "talk.mp3", house.done / "kept.mp3")
    house.deliver("talk.mp3", b"second")

    house.run("forget", str(house.outbox / "talk.json"))

    assert rows(house)["media"] == 1


@pytest.mark.parametrize("how_far", ["waiting", "uploaded", "submitted", "answered"])
def test_a_file_in_flight_is_refused_with_its_state(house: House, how_far: str) -> None:
    house.drop("talk.mp3")
    house.take("talk.mp3")
    if how_far != "waiting":
        house.upload()
    if how_far in ("submitted", "answered"):
        batch = house.submit()
    if how_far == "answered":
        house.answer(batch)
    before = rows(house)

    ran = house.run("forget", "talk.mp3")

    assert ran.code == 1
    assert f"it is {how_far}" in ran.err
    assert rows(house) == before


def test_an_object_that_is_still_in_the_bucket_is_not_forgotten_with_its_file(house: House) -> None:
    house.drop("talk.mp3")
    house.take("talk.mp3")
    house.upload()
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        connection.execute("UPDATE media SET state = 'withdrawn'")

    ran = house.run("forget", "talk.mp3")

    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        objects = connection.execute("SELECT doomed FROM stored_object").fetchall()
        bare = connection.execute("SELECT state, sha256 FROM recognition").fetchall()
    assert (ran.code, objects, bare) == (0, [(1,)], [("forgotten", "")])


def test_unknown_paths_get_a_sentence_and_the_others_are_forgotten(house: House) -> None:
    house.deliver("talk.mp3")
    ran = house.run("forget", "nobody.mp3", "talk.mp3")
    assert ran.code == 1
    assert "nobody.mp3: the ledger knows nothing of it" in ran.err
    assert rows(house)["media"] == 0


def test_while_a_daemon_runs_nothing_is_written(house: House) -> None:
    house.deliver("talk.mp3")
    with house.daemon():
        ran = house.run("forget", "talk.mp3")
    assert ran.code == 75
    assert "stop it" in ran.err
    assert rows(house)["media"] == 1


def test_without_a_ledger_none_is_created(house: House) -> None:
    assert house.run("forget", "talk.mp3").code == 1
    assert not house.state.exists()


def test_naming_nothing_is_wrong_usage(house: House) -> None:
    assert house.run("forget").code == 64


def test_where_a_folder_lay_is_forgotten_by_its_name(house: House) -> None:
    house.remember_folders()
    house.inbox.rmdir()

    first = house.run("forget", str(house.inbox))
    second = house.run("forget", str(house.inbox))

    assert (first.code, second.code) == (0, 1)
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        left = {Path(os.fsdecode(row[0])) for row in connection.execute("SELECT path FROM folder")}
    assert left == {house.outbox, house.done, house.failed}


def test_a_kept_source_is_said_to_be_taken_anew(tmp_path: Path) -> None:
    house = House(tmp_path, done="keep")
    house.deliver("talk.mp3")
    assert "taken as a new file" in house.run("forget", "talk.mp3").out
