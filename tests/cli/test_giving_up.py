"""`dropscribe forget --unfinished`: what can never finish is given up; what would be taken again is not, and why."""

import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from cli.house import House
from dropscribe.dispose import private_name
from dropscribe.ledger import stories
from dropscribe.ledger.stories import FileRow
from dropscribe.model import Failure

HOUR = 3600.0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def rows(house: House) -> dict[str, FileRow]:
    """The newest row of each path."""
    with house.daemon() as ledger:
        found = [ledger.look_now(stories.files_at, "talks", path) for path in (b"a/t.mp3", b"b.mp3")]
    return {os.fsdecode(one[0].path): one[0] for one in found if one}


def under_way(house: House, how_far: str, *paths: str) -> None:
    """These files have come so far."""
    for path in paths:
        house.drop(path, path.encode())
    house.take(*paths)
    if how_far != "waiting":
        house.upload()
    if how_far in ("submitted", "answered", "failing"):
        batch = house.submit()
        if how_far == "answered":
            house.answer(batch)
        if how_far == "failing":
            house.refuse(batch, Failure("DECODE_ERROR", "broken"))


def submitted(house: House, ago: float) -> None:
    """The one batch left so many seconds ago."""
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        connection.execute("UPDATE batch SET submitted_at = ?", (time.time() - ago,))


def batch_state(house: House) -> str:
    with sqlite3.connect(house.state / "ledger.sqlite") as connection:
        return str(connection.execute("SELECT state FROM batch").fetchone()[0])


@pytest.mark.parametrize("how_far", ["waiting", "uploaded", "submitted", "answered", "failing"])
def test_a_file_of_an_inbox_that_was_removed_is_given_up_and_tells_so(house: House, how_far: str) -> None:
    under_way(house, how_far, "a/t.mp3")
    house.remove_inbox()
    state = "failed" if how_far == "failing" else how_far

    ran = house.run("forget", "--unfinished", str(house.inbox / "a/t.mp3"))

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"talks: a/t.mp3: given up (it was {state})")
    assert ("paid all the same" in ran.out) is (how_far == "submitted")
    assert (house.inbox / "a/t.mp3").exists()
    told = house.run("status", str(house.inbox / "a/t.mp3")).out
    assert told.startswith("talks: a/t.mp3  withdrawn")
    assert f"A person gave it up; it was {state}." in told


def test_a_folder_means_all_that_is_under_way_of_it_also_where_it_is_gone(house: House) -> None:
    house.deliver("a/done.mp3")
    under_way(house, "waiting", "a/t.mp3", "b.mp3")
    house.remove_inbox()
    shutil.rmtree(house.inbox)

    first = house.run("forget", "--unfinished", str(house.inbox / "a"))
    one_left = rows(house)["b.mp3"].state
    second = house.run("forget", "--unfinished", str(house.inbox))
    third = house.run("forget", "--unfinished", str(house.inbox))

    assert (first.code, second.code, third.code) == (0, 0, 1)
    assert first.out.count("given up") == 1 and one_left == "waiting"
    assert {row.state for row in rows(house).values()} == {"withdrawn"}
    assert "nothing is under way there" in third.err
    assert "1 delivered" in house.run("status", str(house.inbox)).out


def test_a_file_that_lies_in_an_inbox_of_the_configuration_would_be_taken_again(house: House) -> None:
    under_way(house, "submitted", "a/t.mp3")
    lies_there = house.run("forget", "--unfinished", "a/t.mp3")
    os.rename(house.inbox / "a/t.mp3", house.root / "aside.mp3")

    taken_away = house.run("forget", "--unfinished", "a/t.mp3")

    assert lies_there.code == 1
    assert "not given up, because it lies in its inbox, where it would be taken again; move it away" in lies_there.err
    assert (taken_away.code, rows(house)["a/t.mp3"].state) == (0, "withdrawn")


def test_of_an_inbox_whose_disk_is_away_nothing_is_given_up_as_long_as_it_is_configured(house: House) -> None:
    under_way(house, "waiting", "a/t.mp3")
    house.remember_folders()
    shutil.rmtree(house.inbox)

    ran = house.run("forget", "--unfinished", str(house.inbox / "a/t.mp3"))

    assert ran.code == 1
    assert "take it out of the configuration" in ran.err
    assert rows(house)["a/t.mp3"].state == "waiting"


def test_a_source_that_an_interrupted_move_had_hidden_gets_its_name_back(house: House) -> None:
    under_way(house, "failing", "a/t.mp3")
    house.remove_inbox()
    with house.daemon() as ledger:
        hidden = house.inbox / "a" / os.fsdecode(private_name(1, ledger.id))
    os.rename(house.inbox / "a/t.mp3", hidden)

    ran = house.run("forget", "--unfinished", str(house.inbox / "a/t.mp3"))

    assert ran.code == 0
    assert (house.inbox / "a/t.mp3").read_bytes() == b"a/t.mp3" and not hidden.exists()


def test_what_has_ended_or_is_unknown_is_refused_and_the_others_are_given_up(house: House) -> None:
    house.deliver("done.mp3")
    under_way(house, "waiting", "b.mp3")
    house.remove_inbox()

    ran = house.run(
        "forget", "--unfinished", str(house.inbox / "done.mp3"), "/nowhere/x.mp3", str(house.inbox / "b.mp3")
    )

    assert ran.code == 1
    assert "done.mp3: nothing of it is under way: it is delivered" in ran.err
    assert "/nowhere/x.mp3: the ledger knows nothing of it" in ran.err
    assert rows(house)["b.mp3"].state == "withdrawn"


def test_what_was_given_up_is_forgotten_like_any_other_file_once_nothing_of_it_is_at_the_service(house: House) -> None:
    under_way(house, "submitted", "a/t.mp3")
    submitted(house, ago=HOUR)
    house.remove_inbox()
    source = str(house.inbox / "a/t.mp3")
    refused = house.run("forget", source)
    house.run("forget", "--unfinished", source)

    too_early = house.run("forget", source)
    house.answer(1)
    in_the_end = house.run("forget", source)

    assert "give it up with --unfinished if it never can be" in refused.err
    assert (too_early.code, in_the_end.code) == (1, 0)
    assert "not forgotten yet" in too_early.err
    assert rows(house) == {}


def test_a_task_of_long_ago_is_over_with_the_last_file_that_waits_for_it(house: House) -> None:
    under_way(house, "submitted", "a/t.mp3", "b.mp3")
    submitted(house, ago=30 * HOUR)
    house.remove_inbox()
    house.run("forget", "--unfinished", str(house.inbox / "a/t.mp3"))
    before = batch_state(house)

    house.run("forget", "--unfinished", str(house.inbox / "b.mp3"))

    assert (before, batch_state(house)) == ("submitted", "dropped")


def test_while_a_daemon_runs_nothing_is_written(house: House) -> None:
    under_way(house, "waiting", "b.mp3")
    house.remove_inbox()
    with house.daemon():
        ran = house.run("forget", "--unfinished", str(house.inbox / "b.mp3"))
    assert ran.code == 75
    assert rows(house)["b.mp3"].state == "waiting"
