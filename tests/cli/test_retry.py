"""`dropscribe retry`: failed files go back into their inbox; the daemon does the rest."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.house import House, files_below, run
from dropscribe.dispose import private_name
from dropscribe.ledger import upkeep
from dropscribe.sandbox import RunningSandbox, running_sandbox
from lab import FAST, Lab, sha256


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def keeping(tmp_path: Path) -> House:
    return House(tmp_path, done="keep")


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(FAST) as running:
        yield running


def ledger_of(house: House) -> bytes:
    return (house.state / "ledger.sqlite").read_bytes()


@pytest.mark.parametrize("place", ["failed/a/bad.mp3", "failed/a/bad.mp3.error.json", "inbox/a/bad.mp3"])
def test_a_failed_file_goes_back_to_its_own_path_and_its_error_file_goes_away(house: House, place: str) -> None:
    house.fail("a/bad.mp3", b"broken")
    before = ledger_of(house)

    ran = house.run("retry", str(house.root / place))

    assert (ran.code, ran.err) == (0, "")
    assert (house.inbox / "a/bad.mp3").read_bytes() == b"broken"
    assert files_below(house.failed) == set()
    assert ledger_of(house) == before


@pytest.mark.parametrize("place", ["failed/a/bad.mp3", "inbox/a/bad.mp3"])
def test_nothing_behind_a_folder_that_was_exchanged_for_a_link_is_moved_or_removed(house: House, place: str) -> None:
    house.fail("a/bad.mp3", b"broken")
    elsewhere = house.root / "elsewhere"
    elsewhere.mkdir()
    for name in ("bad.mp3", "bad.mp3.error.json"):
        (elsewhere / name).write_bytes(b"a secret")
    (house.failed / "a").rename(house.root / "pulled away")
    (house.failed / "a").symlink_to(elsewhere)

    ran = house.run("retry", str(house.root / place))

    assert ran.code == 1
    assert "is not at" in ran.err
    assert files_below(elsewhere) == {"bad.mp3", "bad.mp3.error.json"}
    assert files_below(house.inbox) == set()


def test_all_takes_every_failed_file_and_code_only_those_of_that_code(house: House) -> None:
    house.fail("one.mp3", b"1", code="A")
    house.fail("two.mp3", b"2", code="B")
    house.fail("three.mp3", b"3", code="B")

    by_code = house.run("retry", "--code", "B")
    in_between = files_below(house.inbox)
    house.run("retry", "--all")

    assert by_code.code == 0
    assert in_between == {"two.mp3", "three.mp3"}
    assert files_below(house.inbox) == {"one.mp3", "two.mp3", "three.mp3"}


def test_all_with_nothing_failed_is_well(house: House) -> None:
    house.deliver("talk.mp3")
    assert house.run("retry", "--all").code == 0


def test_a_code_that_nothing_failed_with_names_those_there_are(house: House) -> None:
    house.fail("one.mp3", code="A")
    ran = house.run("retry", "--code", "Z")
    assert ran.code == 1
    assert "Codes of failed files: A." in ran.err


@pytest.mark.parametrize("arguments", [(), ("--all", "x.mp3"), ("--all", "--code", "A"), ("--code", "A", "x.mp3")])
def test_saying_nothing_or_two_things_is_wrong_usage(house: House, arguments: tuple[str, ...]) -> None:
    assert house.run("retry", *arguments).code == 64


def test_each_unknown_path_gets_its_sentence_and_the_others_are_tried(house: House) -> None:
    house.fail("bad.mp3")
    house.deliver("good.mp3", b"good")

    ran = house.run("retry", "nobody.mp3", str(house.done / "good.mp3"), str(house.failed / "bad.mp3"))

    assert ran.code == 1
    assert "nobody.mp3: the ledger knows no file here" in ran.err
    assert "good.mp3: it did not fail: it is delivered" in ran.err
    assert files_below(house.inbox) == {"bad.mp3"}


def test_without_a_ledger_every_path_is_unknown(house: House) -> None:
    assert house.run("retry", "bad.mp3").code == 1
    assert not house.state.exists()


def test_a_name_that_is_taken_in_the_inbox_is_left_alone_and_the_new_name_is_said(house: House) -> None:
    house.fail("bad.mp3", b"broken")
    house.drop("bad.mp3", b"newer")

    ran = house.run("retry", str(house.failed / "bad.mp3"))

    assert ran.code == 0
    assert "as bad~2.mp3, because another file has its name" in ran.out
    assert (house.inbox / "bad.mp3").read_bytes() == b"newer"
    assert (house.inbox / "bad~2.mp3").read_bytes() == b"broken"


def test_a_source_that_is_gone_from_failed_is_said_and_its_reason_stays(house: House) -> None:
    house.fail("bad.mp3")
    (house.failed / "bad.mp3").unlink()
    ran = house.run("retry", "--all")
    assert ran.code == 1
    assert "is not at" in ran.err
    assert files_below(house.failed) == {"bad.mp3.error.json"}


def test_an_inbox_that_is_not_there_gets_nothing(house: House) -> None:
    house.fail("bad.mp3")
    house.remember_folders()
    house.inbox.rmdir()

    ran = house.run("retry", "--all")

    assert ran.code == 1
    assert "missing" in ran.err
    assert "bad.mp3" in files_below(house.failed)
    assert not house.inbox.exists()


def test_an_inbox_that_is_not_configured_any_more_is_said(house: House) -> None:
    house.fail("bad.mp3")
    house.configure({"name": "other", "inbox": "inbox", "failed": "failed"})
    ran = house.run("retry", "--all")
    assert ran.code == 1
    assert "its inbox talks is not in the configuration any more" in ran.err


def test_names_of_any_bytes_go_back(house: House) -> None:
    name = b"\xff\n bad.mp3"
    house.fail(name)
    ran = house.run("retry", os.path.join(os.fsencode(house.failed), name))
    assert ran.code == 0
    assert os.listdir(os.fsencode(house.inbox)) == [name]


def test_what_an_interrupted_retry_had_hidden_is_found_again(house: House) -> None:
    house.fail("bad.mp3", b"broken")
    with house.daemon() as ledger:
        name = ledger.look_now(upkeep.read_meta, "ledger_id")
    assert name is not None
    (house.failed / "bad.mp3").rename(house.failed / os.fsdecode(private_name(1, name)))

    ran = house.run("retry", "--all")

    assert ran.code == 0
    assert (house.inbox / "bad.mp3").read_bytes() == b"broken"
    assert files_below(house.failed) == set()


def test_a_source_that_cannot_be_placed_gets_its_name_in_failed_again(house: House) -> None:
    house.fail("a/bad.mp3", b"broken")
    (house.inbox / "a").rmdir()
    (house.inbox / "a").write_text("a file where a folder is needed")

    ran = house.run("retry", "--all")

    assert ran.code == 1
    assert files_below(house.failed) == {"a/bad.mp3", "a/bad.mp3.error.json"}


def test_a_failed_folder_on_another_file_system_is_left_by_a_verified_copy(tmp_path: Path) -> None:
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        house = House(tmp_path, failed=elsewhere)
        house.failed = Path(elsewhere)
        house.fail("a/bad.mp3", b"broken")

        ran = house.run("retry", "--all")

        assert (ran.code, ran.err) == (0, "")
        assert (house.inbox / "a/bad.mp3").read_bytes() == b"broken"
        assert files_below(house.failed) == set()


def test_where_sources_are_kept_only_the_error_file_goes(keeping: House) -> None:
    keeping.fail("bad.mp3", b"broken")
    before = os.lstat(keeping.inbox / "bad.mp3")

    ran = keeping.run("retry", str(keeping.inbox / "bad.mp3"))

    after = os.lstat(keeping.inbox / "bad.mp3")
    assert ran.code == 0
    assert files_below(keeping.failed) == set()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)


def test_where_sources_are_kept_and_one_is_gone_its_reason_stays(keeping: House) -> None:
    keeping.fail("bad.mp3")
    (keeping.inbox / "bad.mp3").unlink()
    ran = keeping.run("retry", "--all")
    assert ran.code == 1
    assert files_below(keeping.failed) == {"bad.mp3.error.json"}


def made_theirs(house: House, content: bytes | None) -> tuple[Path, bytes]:
    """The error file of bad.mp3, with other content of a person's, or edited by one."""
    notes = house.failed / "bad.mp3.error.json"
    theirs = content or notes.read_bytes().replace(b"convert it", b"asked Anna for a better copy")
    notes.write_bytes(theirs)
    return notes, theirs


OTHERS = pytest.mark.parametrize("content", [b"a person's own notes", None], ids=["foreign", "edited"])


@OTHERS
def test_an_error_file_that_a_person_made_theirs_stays_and_the_source_goes_back(
    house: House, content: bytes | None
) -> None:
    house.fail("bad.mp3", b"broken")
    notes, theirs = made_theirs(house, content)

    ran = house.run("retry", str(house.failed / "bad.mp3"))

    assert (ran.code, ran.err) == (0, "")
    assert f"its error file {notes} is not as dropscribe wrote it and stays" in ran.out
    assert notes.read_bytes() == theirs
    assert (house.inbox / "bad.mp3").read_bytes() == b"broken"


@OTHERS
def test_where_sources_are_kept_an_error_file_that_a_person_made_theirs_is_to_be_moved_away(
    keeping: House, content: bytes | None
) -> None:
    keeping.fail("bad.mp3", b"broken")
    notes, theirs = made_theirs(keeping, content)

    ran = keeping.run("retry", "--all")

    assert (ran.code, ran.out) == (1, "")
    assert f"its error file {notes} is not as dropscribe wrote it: move it away" in ran.err
    assert notes.read_bytes() == theirs


def test_a_retried_file_is_heard_anew_by_the_daemon(sandbox: RunningSandbox, tmp_path: Path) -> None:
    lab = Lab(tmp_path, sandbox)
    quick = {"settle": "100ms", "rescan": "500ms"}
    kept = {"name": "kept", "inbox": "kept/inbox", "done": "keep", **quick}
    lab.configure(inboxes=[{"name": "moved", "inbox": "inbox", **quick}, kept])
    (tmp_path / "kept/inbox").mkdir(parents=True)
    lab.drop("talk.mp3", b"BROKEN:DECODE_ERROR moved")
    lab.drop("../kept/inbox/talk.mp3", b"BROKEN:DECODE_ERROR kept")
    assert lab.run_once().returncode == 2
    (lab.failed / "talk.mp3").write_bytes(b"mended in the failed folder")

    assert run("retry", "--config", str(lab.config), "--all").code == 0
    assert lab.run_once().returncode == 2

    assert lab.heard() == {"talk.json": sha256(b"mended in the failed folder")}
    assert files_below(lab.failed) == set()
    assert lab.ledger("SELECT count(*) FROM media WHERE inbox = 'kept' AND state = 'failed'") == [(2,)]
    assert files_below(tmp_path / "kept/failed") == {"talk.mp3.error.json"}


def test_a_file_that_was_just_put_back_is_said_to_lie_in_its_inbox(house: House) -> None:
    house.fail("a/bad.mp3")
    path = str(house.failed / "a/bad.mp3")
    house.run("retry", path)

    ran = house.run("retry", path)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"{path}: it lies in its inbox again already; it is taken when the daemon runs\n"
    assert (house.inbox / "a/bad.mp3").exists()


def test_a_file_that_was_taken_again_since_is_said_to_be_under_way(house: House) -> None:
    house.fail("bad.mp3")
    path = str(house.failed / "bad.mp3")
    house.run("retry", path)
    house.take("bad.mp3")

    ran = house.run("retry", path)

    assert (ran.code, ran.err) == (1, f"{path}: it was tried again since: it is waiting\n")
