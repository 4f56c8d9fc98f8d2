"""A reason in failed/ does not outlive what it tells of, whenever that comes to an end."""

from pathlib import Path

import pytest

from lab import Lab, eventually, files_below, sha256

BROKEN = b"BROKEN:FILE_PARSE_FAILED"
WAYS = pytest.mark.parametrize("done", ["keep", "done"])
REASON = "talk.mp3.error.json"


@pytest.mark.parametrize("known", [True, False], ids=["delivered at once", "delivered later"])
@WAYS
def test_a_version_that_fails_while_a_newer_one_is_there_leaves_no_reason(lab: Lab, done: str, known: bool) -> None:
    lab.configure({"done": done})
    newer = lab.drop("known.mp3", b"the newer content")
    with lab.start() as daemon:
        eventually((lab.outbox / "known.json").exists)
        lab.sandbox.change(task_seconds=1.5)
        lab.drop("talk.mp3", BROKEN)
        eventually(lambda: lab.calls("submit") == 2)

        newer = lab.drop("talk.mp3", newer if known else b"the newest content")

        eventually(lambda: sha256(newer) == lab.heard().get("talk.json"))
        eventually(lambda: daemon.logged("file.failed"))
        eventually(lambda: files_below(lab.failed) == {})
        assert daemon.stop() == 0
    states = lab.ledger("SELECT state FROM media WHERE path = ? ORDER BY id", b"talk.mp3")
    assert states == [("failed",), ("delivered",)]


def fail_and_mend(lab: Lab, content: bytes = b"whole again") -> bytes:
    """`talk.mp3` has failed; then failed/ goes away, and the file is mended."""
    lab.configure({"done": "keep"})
    lab.drop("talk.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    lab.failed.rename(lab.root / "aside")
    return lab.drop("talk.mp3", content)


def test_a_reason_that_could_not_be_removed_goes_as_soon_as_its_folder_is_back(lab: Lab) -> None:
    mended = fail_and_mend(lab)
    with lab.start() as daemon:
        eventually(lambda: lab.heard() == {"talk.json": sha256(mended)})
        alarm = eventually(lambda: daemon.logged("scope.opened"))[0]
        assert alarm["scope"] == f"folder:{lab.failed}" and "missing" in alarm["message"]

        (lab.root / "aside").rename(lab.failed)

        eventually(lambda: files_below(lab.failed) == {})
        eventually(lambda: daemon.logged("scope.closed"))


def test_a_reason_that_could_not_be_removed_goes_with_the_next_start(lab: Lab) -> None:
    mended = fail_and_mend(lab)
    lab.run_once("1s")
    assert lab.heard() == {"talk.json": sha256(mended)}
    (lab.root / "aside").rename(lab.failed)

    assert lab.run_once().returncode == 0

    assert files_below(lab.failed) == {}


def test_a_file_that_fails_again_while_its_reason_was_away_has_the_new_one(lab: Lab) -> None:
    fail_and_mend(lab, b"BROKEN:DECODE_ERROR")
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("scope.opened"))

        (lab.root / "aside").rename(lab.failed)

        eventually(lambda: b"DECODE_ERROR" in files_below(lab.failed).get(REASON, b""))
        eventually(lambda: daemon.logged("file.failed"))
        assert daemon.stop() == 0
    assert lab.run_once().returncode == 0
    assert set(files_below(lab.failed)) == {REASON}


@pytest.mark.parametrize("content", [None, b"a file of somebody's own"], ids=["edited", "foreign"])
@WAYS
def test_a_reason_that_a_person_has_written_into_stays(lab: Lab, done: str, content: bytes | None) -> None:
    lab.configure({"done": done})
    lab.drop("talk.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    reason = lab.failed / REASON
    reason.write_bytes(content or reason.read_bytes() + b"asked Ann for a better copy\n")
    Path(lab.failed / "talk.mp3").unlink(missing_ok=True)
    theirs = reason.read_bytes()

    mended = lab.drop("talk.mp3", b"whole again")
    assert lab.run_once().returncode == 0
    assert lab.run_once().returncode == 0

    assert lab.heard() == {"talk.json": sha256(mended)}
    assert files_below(lab.failed) == {REASON: theirs}


def test_the_reason_of_a_file_that_lies_in_failed_stays_when_another_of_its_name_is_delivered(lab: Lab) -> None:
    lab.drop("talk.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    lab.drop("talk.mp3", b"another recording")

    assert lab.run_once().returncode == 0

    assert set(files_below(lab.failed)) == {"talk.mp3", REASON}
