"""`dropscribe status`: what is where, what waits and why, what failed; or the story of one file."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.house import NOW, House
from dropscribe.allowance import Limit
from dropscribe.errors import OutOfOrder
from dropscribe.ledger import notices, spending, tasklist, upkeep, uploads
from dropscribe.ledger.sqlite import writer_engine
from dropscribe.model import Failure, Scope
from plain_user import plain_user_folder


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def asked(house: House, *arguments: str | bytes) -> Any:
    """What `status --json` says."""
    ran = house.run("status", "--json", *arguments)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def states(house: House) -> dict[str, str]:
    return {file["path"]: file["state"] for file in asked(house)["files"]}


def test_without_a_ledger_it_tells_what_lies_in_the_inbox_and_creates_nothing(house: House) -> None:
    house.drop("talk.mp3")
    house.drop("note.txt")

    said = asked(house)

    assert said["daemon"] == {"running": False, "pid": None, "account": None, "since": None}
    assert {file["path"]: file["state"] for file in said["files"]} == {"talk.mp3": "settling", "note.txt": "ignored"}
    assert said["inboxes"] == [
        {
            "name": "talks",
            "inbox": str(house.inbox),
            "waiting": 1,
            "in_flight": 0,
            "delivered": 0,
            "failed": 0,
            "alarms": [],
        }
    ]
    assert not house.state.exists()


def test_folders_that_were_never_seen_are_no_alarm(house: House) -> None:
    shutil.rmtree(house.inbox)
    assert asked(house)["inboxes"][0]["alarms"] == []


def test_each_step_of_the_way_has_its_state(house: House) -> None:
    seen = []
    house.drop("a/talk.mp3")
    seen.append(states(house)["a/talk.mp3"])
    house.take("a/talk.mp3")
    seen.append(states(house)["a/talk.mp3"])
    house.upload()
    seen.append(states(house)["a/talk.mp3"])
    batch = house.submit("task-9")
    seen.append(states(house)["a/talk.mp3"])
    house.answer(batch)
    seen.append(states(house)["a/talk.mp3"])
    house.settle()
    seen.append(states(house)["a/talk.mp3"])

    assert seen == ["settling", "waiting", "uploaded", "submitted", "answered", "delivered"]


def test_counts_and_files_agree(house: House) -> None:
    house.deliver("one.mp3", b"one")
    house.fail("two.mp3", b"two")
    house.drop("three.mp3", b"three")
    house.take("three.mp3")
    house.upload()
    house.submit("task-x")
    house.drop("four.mp3", b"four")
    house.take("four.mp3")
    house.drop("five.mp3", b"five")

    said = asked(house)

    inbox = {key: said["inboxes"][0][key] for key in ("waiting", "in_flight", "delivered", "failed")}
    assert inbox == {"waiting": 2, "in_flight": 1, "delivered": 1, "failed": 1}
    assert {file["path"]: file["state"] for file in said["files"]} == {
        "one.mp3": "delivered",
        "two.mp3": "failed",
        "three.mp3": "submitted",
        "four.mp3": "waiting",
        "five.mp3": "settling",
    }


def test_a_delivered_file_is_told_with_all_keys(house: House) -> None:
    house.deliver("a/talk.mp3")

    [file] = asked(house, "a/talk.mp3")["files"]

    assert file == {
        "inbox": "talks",
        "path": "a/talk.mp3",
        "state": "delivered",
        "reason": None,
        "code": None,
        "attempts": 0,
        "task_id": "task-2",
        "since": "2026-11-18T11:06:45Z",
        "outputs": [str(house.outbox / "a/talk.json"), str(house.outbox / "a/talk.srt")],
    }


def test_a_failed_file_is_told_with_its_code_and_reason(house: House) -> None:
    house.fail("bad.mp3")

    [file] = asked(house)["files"]

    assert (file["state"], file["code"], file["reason"]) == ("failed", "DECODE_ERROR", "It cannot be decoded.")


@pytest.mark.parametrize("place", ["inbox/a/t.mp3", "outbox/a/t.json", "outbox/a/t.srt", "done/a/t.mp3"])
@pytest.mark.parametrize("how", ["absolute", "from here", "through a link"])
def test_a_delivered_file_is_found_by_each_of_its_paths(
    house: House, place: str, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house.deliver("a/t.mp3")
    monkeypatch.chdir(house.root)
    link = tmp_path_factory.mktemp("elsewhere") / "link"
    link.symlink_to(house.root)
    path = {"absolute": str(house.root / place), "from here": place, "through a link": str(link / place)}[how]

    [file] = asked(house, path)["files"]

    assert (file["path"], file["state"]) == ("a/t.mp3", "delivered")


@pytest.mark.parametrize("place", ["bad.mp3", "bad.mp3.error.json"])
def test_a_failed_file_is_found_by_its_source_and_its_error_file(house: House, place: str) -> None:
    house.fail("bad.mp3")
    [file] = asked(house, str(house.failed / place))["files"]
    assert file["path"] == "bad.mp3"


def test_a_path_may_be_meant_from_an_inbox(house: House) -> None:
    house.deliver("a/talk.mp3")
    ran = house.run("status", "a/talk.mp3")
    assert ran.code == 0
    assert ran.out.startswith("talks: a/talk.mp3  delivered")


def test_names_of_any_bytes_are_found_and_shown(house: House) -> None:
    name = b"\xff\n\xe4\xbd\xa0.mp3"
    house.deliver(name)

    [file] = asked(house, os.path.join(os.fsencode(house.done), name))["files"]

    assert file["path"] == "\\xff\\x0a你.mp3"
    assert "\\xff\\x0a你.mp3  delivered" in house.run("status", name).out


def test_a_path_that_is_neither_on_disk_nor_in_the_ledger_ends_with_1(house: House) -> None:
    house.deliver("talk.mp3")
    ran = house.run("status", "other.mp3")
    assert (ran.code, ran.out) == (1, "")
    assert "other.mp3 is neither in the ledger nor on disk" in ran.err


def test_a_path_outside_all_folders_is_unknown(house: House) -> None:
    assert house.run("status", str(house.config)).code == 1


def test_a_stranger_in_the_outbox_is_explained(house: House) -> None:
    (house.outbox / "mine.txt").write_text("mine")
    [file] = asked(house, str(house.outbox / "mine.txt"))["files"]
    assert file["state"] == "ignored"
    assert "outbox" in file["reason"]


@pytest.mark.parametrize(
    ("name", "why"), [("note.txt", "supported media types"), ("talk.mp3.part", "excluded"), ("empty.mp3", "empty")]
)
def test_what_stays_in_the_inbox_says_why(house: House, name: str, why: str) -> None:
    house.drop(name, b"" if name == "empty.mp3" else b"content")
    [file] = asked(house, name)["files"]
    assert file["state"] == "ignored"
    assert why in file["reason"]


def test_a_file_that_cannot_be_read_says_so() -> None:
    with plain_user_folder() as folder:
        house = House(folder)
        house.drop("locked.mp3").chmod(0)
        [file] = asked(house)["files"]
        [named] = asked(house, house.inbox / "locked.mp3")["files"]
    assert (file["state"], file["code"]) == ("ignored", "unreadable")
    assert named == file


def test_outputs_beside_the_media_are_not_told_as_ignored(tmp_path: Path) -> None:
    house = House(tmp_path, done="keep", outbox="inbox")
    house.outbox = house.inbox
    house.deliver("talk.mp3")
    house.drop("notes.srt")

    assert states(house) == {"talk.mp3": "delivered", "notes.srt": "ignored"}
    [file] = asked(house, "talk.srt")["files"]
    assert (file["path"], file["state"]) == ("talk.mp3", "delivered")


def test_a_file_put_in_place_of_a_delivered_one_is_told_before_it(house: House) -> None:
    house.deliver("talk.mp3", b"first")
    house.drop("talk.mp3", b"second")
    assert [file["state"] for file in asked(house, "talk.mp3")["files"]] == ["settling", "delivered"]


def test_an_earlier_file_of_the_same_path_is_mentioned(house: House) -> None:
    house.deliver("talk.mp3", b"first")
    (house.done / "talk.mp3").unlink()
    house.deliver("talk.mp3", b"second")

    out = house.run("status", "talk.mp3").out

    assert "1 before at this path: delivered" in out


def test_an_error_file_that_a_retry_took_away_is_not_pointed_at(house: House) -> None:
    house.fail("bad.mp3")
    assert str(house.failed / "bad.mp3.error.json") in house.run("status", "bad.mp3").out
    assert house.run("retry", str(house.failed / "bad.mp3")).code == 0
    out = house.run("status", "bad.mp3").out
    assert "failed" in out and "error.json" not in out


def test_the_story_of_a_file_that_went_well_takes_five_lines(house: House) -> None:
    house.deliver("a/talk.mp3")
    lines = house.run("status", "a/talk.mp3").out.splitlines()
    assert [line.split()[0] for line in lines] == ["talks:", "taken", "heard", "outputs", "source"]
    for line, words in zip(
        lines,
        (
            ("a/talk.mp3", "delivered"),
            ("last written", "5 bytes", "sha256", "uploaded"),
            ("fun-asr", "in a batch of 1", "task task-", "7 s billed", "answered"),
            (f"{house.outbox}/a/talk.json, talk.srt",),
            (f"{house.done}/a/talk.mp3",),
        ),
        strict=True,
    ):
        assert all(word in line for word in words), line


def test_files_that_share_a_recognition_name_each_other_and_its_price(house: House) -> None:
    house.drop("one.mp3")
    house.drop("two.mp3")
    house.take("one.mp3", "two.mp3")
    house.upload()
    house.answer(house.submit("task-5"), billed=12.0)
    house.settle()

    out = house.run("status", "one.mp3").out

    assert "task task-5, 12 s billed" in out
    assert "together with talks: two.mp3" in out


def test_a_batch_that_was_paid_twice_is_never_hidden(house: House) -> None:
    house.drop("one.mp3")
    house.take("one.mp3")
    house.upload()
    batch = house.submit("task-5")
    with house.daemon() as ledger:
        ledger.do_now(tasklist.paid_twice, batch, ["task-6"])
    assert "paid more than once: also task task-6" in house.run("status", "one.mp3").out


def test_a_lost_submit_says_that_the_task_list_decides(house: House) -> None:
    house.drop("one.mp3")
    house.take("one.mp3")
    house.upload()
    house.submit(None)
    with house.daemon():  # opening the ledger puts what may have been sent in doubt
        [file] = asked(house, "one.mp3")["files"]
    assert file["state"] == "uploaded"
    assert "task list decides" in file["reason"]


def test_a_running_daemon_is_told_with_pid_account_and_start(house: House) -> None:
    with house.daemon() as ledger:
        ledger.do_now(upkeep.write_meta, "pid", "4711")
        ledger.do_now(upkeep.write_meta, "account", "feedbeef")
        ledger.do_now(upkeep.write_meta, "started_at", "1795000000.0")
        said = asked(house)
        text = house.run("status").out
    assert said["daemon"] == {
        "running": True,
        "pid": 4711,
        "account": "feedbeef",
        "since": "2026-11-18T11:06:40Z",
    }
    assert text.startswith("The daemon runs (pid 4711) since ")


def test_an_open_scope_is_an_alarm_and_the_reason_of_what_waits_for_it(house: House) -> None:
    house.drop("one.mp3")
    house.take("one.mp3")
    with house.daemon() as ledger:
        ledger.do_now(upkeep.open_scope, Scope("storage", "AccessDenied", "the bucket is denied", "allow it", NOW, NOW))
        said = asked(house)

    [alarm] = said["inboxes"][0]["alarms"]
    assert alarm == {
        "scope": "storage",
        "code": "AccessDenied",
        "message": "the bucket is denied",
        "remedy": "allow it",
        "since": "2026-11-18T11:06:40Z",
    }
    assert said["files"][0]["reason"] == "It waits: The bucket is denied."


def test_a_folder_that_was_there_and_is_missing_is_an_alarm_without_a_daemon_too(house: House) -> None:
    house.remember_folders()
    house.inbox.rmdir()
    [alarm] = asked(house)["inboxes"][0]["alarms"]
    assert (alarm["scope"], alarm["code"]) == (f"folder:{house.inbox}", "FolderMissing")


def test_a_folder_on_another_device_is_an_alarm_and_not_scanned(house: House) -> None:
    house.remember_folders()
    house.drop("shadowed.mp3")
    elsewhere = '{"device": 1, "is_mount": true, "filesystem": "ext4", "fsid": 1, "boot": "now"}'
    with house.daemon() as ledger:
        ledger.do_now(upkeep.remember_folder, os.fsencode(house.inbox), elsewhere, NOW)

    said = asked(house)

    assert [alarm["code"] for alarm in said["inboxes"][0]["alarms"]] == ["FolderElsewhere"]
    assert said["files"] == []


def test_a_failed_file_that_was_seen_to_by_hand_does_not_count_any_more(house: House) -> None:
    house.fail("bad.mp3")
    (house.failed / "bad.mp3").unlink()
    (house.failed / "bad.mp3.error.json").unlink()

    said = asked(house)

    assert (said["inboxes"][0]["failed"], said["files"]) == (0, [])
    assert [file["state"] for file in asked(house, "bad.mp3")["files"]] == ["failed"]


def test_a_failed_folder_that_is_not_mounted_is_not_taken_for_empty(house: House) -> None:
    house.fail("bad.mp3")
    shutil.rmtree(house.failed)
    assert asked(house)["inboxes"][0]["failed"] == 1


def test_a_failed_file_that_was_delivered_later_counts_as_delivered_only(house: House) -> None:
    house.fail("bad.mp3", b"same")
    (house.failed / "bad.mp3").rename(house.inbox / "bad.mp3")
    house.deliver("bad.mp3", b"same")
    said = asked(house)
    assert [file["state"] for file in said["files"]] == ["delivered"]
    assert said["inboxes"][0]["failed"] == 0


def test_without_a_path_only_the_last_100_that_ended_are_listed(house: House) -> None:
    names = [f"{number}.mp3" for number in range(105)]
    for name in names:
        house.drop(name, name.encode())
    house.take(*names)
    house.upload()
    house.answer(house.submit())
    house.settle()

    said = asked(house)

    assert said["inboxes"][0]["delivered"] == 105
    assert len(said["files"]) == 100


def test_where_all_is_well_people_see_only_the_counts(house: House) -> None:
    house.deliver("talk.mp3")
    out = [line for line in house.run("status").out.splitlines() if not line.startswith("spent ")]
    assert out == [
        "The daemon is not running.",
        "talks  0 waiting, 0 in flight, 1 delivered, 0 failed",
    ]


def test_a_ledger_that_may_not_be_read_gives_a_sentence() -> None:
    with plain_user_folder() as folder:
        house = House(folder)
        house.deliver("talk.mp3")
        for left in house.state.glob("ledger.sqlite-*"):
            left.unlink()
        house.state.chmod(0o500)
        (house.state / "ledger.sqlite").chmod(0o000)
        ran = house.run("status")
    assert ran.code == 1
    assert "cannot be read" in ran.err
    assert "Traceback" not in ran.err


def test_a_state_folder_that_may_not_be_entered_gives_a_sentence() -> None:
    with plain_user_folder() as folder:
        house = House(folder)
        house.deliver("talk.mp3")
        house.state.chmod(0)
        ran = house.run("status")
    assert ran.code == 1
    assert "use the user that the daemon runs as" in ran.err


def test_a_ledger_of_a_newer_version_is_not_guessed_at(house: House) -> None:
    house.deliver("talk.mp3")
    engine = writer_engine(house.state / "ledger.sqlite")
    with engine.begin() as connection:
        upkeep.write_meta(connection, "schema_version", "99")
    engine.dispose()

    ran = house.run("status")

    assert ran.code == 1
    assert "upgrade dropscribe" in ran.err


def test_it_leaves_the_ledger_as_it_is(house: House) -> None:
    house.deliver("talk.mp3")
    before = (house.state / "ledger.sqlite").read_bytes()
    house.run("status")
    house.run("status", "talk.mp3")
    assert (house.state / "ledger.sqlite").read_bytes() == before


def test_a_faulty_configuration_ends_with_78(house: House) -> None:
    house.config.write_text("inboxes: 3\n")
    assert house.run("status").code == 78


def test_urls_of_messages_are_not_shown(house: House) -> None:
    house.drop("bad.mp3")
    house.take("bad.mp3")
    house.upload()
    house.refuse(house.submit(), Failure("X", "cannot get https://bucket/key?Signature=abc at all"))
    assert "Signature" not in house.run("status").out


def test_a_scope_of_another_inboxes_folder_is_no_alarm_of_this_one(house: House, tmp_path: Path) -> None:
    house.configure({"name": "talks", "inbox": "inbox"}, {"name": "calls", "inbox": "calls/inbox"})
    fault = OutOfOrder(f"folder:{tmp_path}/calls/inbox", "FolderMissing", "gone", "mount it")
    with house.daemon() as ledger:
        ledger.do_now(upkeep.open_scope, Scope(fault.scope, fault.code, fault.message, fault.remedy, NOW, NOW))
        talks, calls = asked(house)["inboxes"]
    assert (talks["alarms"], [alarm["code"] for alarm in calls["alarms"]]) == ([], ["FolderMissing"])


def test_what_was_spent_and_is_reserved_is_told_against_the_limits(house: House) -> None:
    house.configure({"name": "talks", "inbox": "inbox"}, limits={"hours_per_month": 10})
    house.deliver("old.mp3", b"known")
    house.drop("new.mp3", bytes(160_000))
    house.take("new.mp3")
    house.upload()

    spending = asked(house)["spending"]
    said = house.run("status").out

    assert spending["reserved_hours"] == pytest.approx(20 / 3600, abs=1e-4)
    assert (spending["month_limit_hours"], spending["day_limit_hours"], spending["held_files"]) == (10.0, None, 0)
    assert "of 10.0 h this month" in said
    assert "20 s reserved" in said


def test_a_file_that_waits_for_the_limits_says_so(house: House) -> None:
    house.drop("talk.mp3", bytes(160_000))
    house.take("talk.mp3")
    with house.daemon() as ledger:
        ledger.do_now(spending.set_limits, (Limit("day", 10.0, 0.0),))
        ledger.do_now(uploads.claim, 10, NOW + 1, 1, lambda suffix: "key", 10**9)

    [file] = asked(house, "talk.mp3")["files"]

    assert file["state"] == "waiting"
    assert "limits.hours_per_day" in file["reason"]
    assert asked(house)["spending"]["held_files"] == 1


def test_notices_that_nobody_takes_are_told(house: House) -> None:
    with house.daemon() as ledger:
        ledger.do_now(notices.subscribe, {"webhook": ("delivered",)})
    house.deliver("talk.mp3")

    assert asked(house)["notices"]["waiting"] == 1
    assert "notices   1 wait" in house.run("status").out


@pytest.mark.parametrize("place", ["inbox/a/t.mp3", "outbox/a/t.srt", "done/a/t.mp3", "a/t.mp3"])
def test_a_file_of_an_inbox_that_was_removed_still_tells_its_story(
    house: House, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.deliver("a/t.mp3")
    house.remove_inbox()
    monkeypatch.chdir(house.root)

    ran = house.run("status", place)

    assert ran.code == 0
    assert ran.out.startswith("talks: a/t.mp3  delivered")
    assert "talks is not in the configuration any more" in ran.out


def test_a_file_under_way_of_an_inbox_that_was_removed_says_what_it_waits_for(house: House) -> None:
    house.drop("t.mp3")
    house.take("t.mp3")
    house.configure({"name": "calls", "inbox": "calls/inbox"})

    [file] = asked(house)["files"]

    assert (file["inbox"], file["state"]) == ("talks", "waiting")
    assert "not in the configuration any more" in file["reason"]
    with house.daemon() as ledger:
        ledger.do_now(upkeep.remember_inbox, "talks", os.fsencode(house.inbox))
    assert f"source   {house.inbox}/t.mp3" in house.run("status", str(house.inbox / "t.mp3")).out


def test_in_a_library_versions_of_a_file_count_once(tmp_path: Path) -> None:
    house = House(tmp_path, done="keep")
    for version in (b"one", b"two", b"three"):
        house.deliver("talk.mp3", version)
    house.deliver("other.mp3", b"other")
    assert asked(house)["inboxes"][0]["delivered"] == 2

    house.drop("talk.mp3", b"four")
    house.take("talk.mp3")
    said = asked(house)["inboxes"][0]
    assert (said["waiting"], said["delivered"]) == (1, 1)


def test_two_files_of_one_name_count_twice_where_sources_move_away(house: House) -> None:
    house.deliver("talk.mp3", b"monday's")
    (house.done / "talk.mp3").rename(house.done / "kept.mp3")
    house.deliver("talk.mp3", b"tuesday's")
    assert asked(house)["inboxes"][0]["delivered"] == 2


@pytest.fixture
def full(house: House) -> House:
    """Files of all kinds, in and beside a folder called `a`."""
    with house.daemon():
        _fill(house)
    return house


def _fill(house: House) -> None:
    house.deliver("a/one.mp3", b"one")
    house.deliver("a/b/two.mp3", b"two")
    house.deliver("ab.mp3", b"beside")
    house.fail("a/bad.mp3", b"bad")
    house.drop("a/three.mp3", b"three")
    house.take("a/three.mp3")
    house.drop("a/note.txt")
    house.drop("four.mp3", b"four")


@pytest.mark.parametrize(
    ("folder", "counts", "paths"),
    [
        ("inbox/a", "1 waiting, 0 in flight, 2 delivered, 1 failed, 1 ignored", "a/b/two a/bad a/note a/one a/three"),
        ("inbox", "2 waiting, 0 in flight, 3 delivered, 1 failed, 1 ignored", None),
        (".", "2 waiting, 0 in flight, 3 delivered, 1 failed, 1 ignored", None),
        ("outbox/a", "0 waiting, 0 in flight, 2 delivered, 0 failed", "a/b/two a/one"),
        ("done/a/b", "0 waiting, 0 in flight, 1 delivered, 0 failed", "a/b/two"),
        ("failed", "0 waiting, 0 in flight, 0 delivered, 1 failed", "a/bad"),
    ],
)
def test_a_folder_tells_of_the_files_in_and_below_it(full: House, folder: str, counts: str, paths: str | None) -> None:
    whole = full.root / folder

    ran = full.run("status", str(whole))
    files = asked(full, str(whole))["files"]

    assert ran.code == 0
    assert ran.out.splitlines()[:2] == [f"In and below {whole.resolve()}:", f"talks  {counts}"]
    if paths is not None:
        assert sorted(file["path"].split(".")[0] for file in files) == paths.split()


@pytest.mark.parametrize(
    ("folder", "counts", "paths"),
    [
        ("inbox/a", "1 waiting, 0 in flight, 2 delivered, 1 failed", "a/b/two a/bad a/one a/three"),
        ("inbox", "1 waiting, 0 in flight, 3 delivered, 1 failed", "a/b/two a/bad a/one a/three ab"),
        ("outbox/a", "0 waiting, 0 in flight, 2 delivered, 0 failed", "a/b/two a/one"),
        ("done/a/b", "0 waiting, 0 in flight, 1 delivered, 0 failed", "a/b/two"),
        ("failed", "0 waiting, 0 in flight, 0 delivered, 1 failed", "a/bad"),
    ],
)
def test_a_folder_of_an_inbox_that_was_removed_tells_the_same(
    full: House, folder: str, counts: str, paths: str
) -> None:
    full.remove_inbox()
    whole = str(full.root / folder)

    ran = full.run("status", whole)
    files = asked(full, whole)["files"]

    assert ran.out.splitlines()[:2] == [f"In and below {whole}:", f"talks  {counts}"]
    assert sorted(file["path"].split(".")[0] for file in files) == paths.split()


def test_the_folder_of_a_removed_inbox_tells_the_same_when_it_is_gone_for_good(full: House) -> None:
    full.remove_inbox()
    shutil.rmtree(full.inbox)

    said = full.run("status", str(full.inbox / "a")).out

    assert said.splitlines()[1] == "talks  1 waiting, 0 in flight, 2 delivered, 1 failed"


def test_a_missing_folder_of_which_nothing_is_known_is_an_unknown_path(full: House) -> None:
    assert full.run("status", str(full.inbox / "never")).code == 1
    assert full.run("status", str(full.inbox / "a/one.mp3/below")).code == 1


def test_a_folder_without_files_is_no_unknown_path(house: House) -> None:
    (house.inbox / "empty").mkdir()
    ran = house.run("status", str(house.inbox / "empty"))
    assert (ran.code, ran.err) == (0, "")


def test_a_folder_that_is_nobodys_is_said_to_be_one(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    ran = house.run("status", str(tmp_path_factory.mktemp("mine")))
    assert ran.code == 1
    assert "is a folder in which none of the configuration's folders lies" in ran.err


@pytest.mark.parametrize("place", ["failed/a/t.mp3", "failed/a/t.mp3.error.json", "done/a/t.mp3"])
def test_where_a_file_is_looked_for_too_early_its_place_is_pointed_at(house: House, place: str) -> None:
    house.drop("a/t.mp3")
    house.take("a/t.mp3")

    ran = house.run("status", str(house.root / place))

    assert (ran.code, ran.out) == (1, "")
    assert f"the last file of that name is waiting; see `dropscribe status {house.inbox}/a/t.mp3`" in ran.err


def test_a_link_to_a_folder_is_no_folder_of_ours_unless_it_leads_to_one(house: House, tmp_path: Path) -> None:
    (house.inbox / "link").symlink_to(house.outbox)
    (tmp_path / "way").symlink_to(house.inbox)
    [file] = asked(house, str(house.inbox / "link"))["files"]
    assert (file["path"], file["state"]) == ("link", "ignored")
    assert house.run("status", str(tmp_path / "way")).out.startswith("In and below ")
