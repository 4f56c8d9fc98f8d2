"""A disk that refuses, over quota or broken: what needs it waits and says so, nothing is lost or paid twice, and the
work goes on by itself.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.dispose import private_name
from dropscribe.names import partial_name
from lab import Daemon, Lab, eventually, files_below, sha256
from refusing import refusing, slow

BROKEN = b"BROKEN:FILE_PARSE_FAILED"
SAID = {
    "EDQUOT": ("Disk quota exceeded", "have the quota raised"),
    "EIO": ("Input/output error", "look after the disk"),
    "EROFS": ("Read-only file system", "mount it writable"),
}


@pytest.fixture
def daemon(lab: Lab) -> Daemon:
    """It has delivered one file and failed another, so that all its folders are there; the next is its third."""
    lab.drop("first.mp3")
    lab.drop("bad.mp3", BROKEN)
    assert lab.run_once().returncode == 2
    return lab.start()


def assert_waits(daemon: Daemon, folder: Path, error: str) -> None:
    """The alarm names the folder, what is wrong and what to do."""
    alarm = eventually(lambda: daemon.logged("scope.opened"))[0]
    what, remedy = SAID[error]
    assert (alarm["scope"], alarm["code"]) == (f"folder:{folder}", error)
    assert what in alarm["message"] and str(folder) in alarm["message"]
    assert remedy in alarm["remedy"]


def assert_balanced(lab: Lab, daemon: Daemon, *delivered: bytes) -> None:
    opened = {line["scope"] for line in daemon.logged("scope.opened")}
    eventually(lambda: {line["scope"] for line in daemon.logged("scope.closed")} == opened)
    eventually(lambda: lab.sandbox.state()["objects"] == [])
    assert daemon.stop() == 0
    assert dict(lab.billed()) == {sha256(data): 1 for data in delivered}
    assert {sha256(data) for data in files_below(lab.done).values()} == {sha256(data) for data in delivered}
    assert set(lab.heard().values()) == {sha256(data) for data in delivered}
    assert files_below(lab.inbox) == {}
    lab.assert_bucket_is_empty()
    lab.assert_nothing_private_is_left()


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("written", "EDQUOT"),
        ("synced", "EDQUOT"),
        ("synced", "EIO"),
        ("placed", "EDQUOT"),
        ("placed", "EROFS"),
        ("folder synced", "EIO"),
    ],
)
def test_an_outbox_that_refuses_keeps_its_files_waiting(lab: Lab, daemon: Daemon, step: str, error: str) -> None:
    aside, first = lab.outbox / ".dropscribe-3-srt.tmp", files_below(lab.done)["first.mp3"]
    calls, path = {
        "written": ("write", aside),
        "synced": ("fsync", aside),
        "placed": ("renameat2", lab.outbox),
        "folder synced": ("fsync", lab.outbox),
    }[step]
    with daemon:
        with refusing(daemon.process.pid, calls, error, path):
            talk = lab.drop("talk.mp3")
            assert_waits(daemon, lab.outbox, error)
            assert files_below(lab.inbox) == {"talk.mp3": talk}
            assert "talk.json" not in lab.outputs()
            eventually(lambda: lab.sandbox.state()["objects"] == [])

        eventually((lab.done / "talk.mp3").exists)
        assert_balanced(lab, daemon, first, talk)


@pytest.mark.parametrize("error", ["EDQUOT", "EIO", "EROFS"])
def test_a_done_folder_that_refuses_keeps_the_source_and_its_outputs(lab: Lab, daemon: Daemon, error: str) -> None:
    first = files_below(lab.done)["first.mp3"]
    with daemon:
        with refusing(daemon.process.pid, "renameat2", error, lab.done):
            talk = lab.drop("talk.mp3")
            assert_waits(daemon, lab.done, error)
            assert lab.heard()["talk.json"] == sha256(talk)
            eventually(lambda: talk in files_below(lab.inbox).values())

        eventually((lab.done / "talk.mp3").exists)
        assert_balanced(lab, daemon, first, talk)


@pytest.mark.parametrize("error", ["EDQUOT", "EIO"])
def test_a_failed_folder_that_refuses_keeps_the_source_in_the_inbox_and_others_go_on(
    lab: Lab, daemon: Daemon, error: str
) -> None:
    first = files_below(lab.done)["first.mp3"]
    with daemon:
        with refusing(daemon.process.pid, "write", error, lab.failed / ".dropscribe-3-error.tmp"):
            lab.drop("worse.mp3", BROKEN + b" too")
            assert_waits(daemon, lab.failed, error)
            assert "worse.mp3" in files_below(lab.inbox)
            talk = lab.drop("talk.mp3")
            eventually((lab.done / "talk.mp3").exists)

        eventually((lab.failed / "worse.mp3").exists)
        assert_balanced(lab, daemon, first, talk)
    assert set(files_below(lab.failed)) == {
        f"{name}.mp3{end}" for name in ("bad", "worse") for end in ("", ".error.json")
    }


@pytest.mark.parametrize(
    ("calls", "error"), [("pwrite64", "EDQUOT"), ("pwrite64", "EROFS"), ("fsync,fdatasync", "EIO")]
)
def test_a_state_folder_that_refuses_stops_all_that_would_be_forgotten(
    lab: Lab, daemon: Daemon, calls: str, error: str
) -> None:
    first, submits = files_below(lab.done)["first.mp3"], lab.calls("submit")
    with daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        with refusing(daemon.process.pid, calls, error, lab.state / "ledger.sqlite-wal"):
            talk = lab.drop("talk.mp3")
            alarm = eventually(lambda: daemon.logged("scope.opened"))[0]
            assert alarm["scope"] == "ledger"
            assert "free space on the disk of the state folder" in alarm["remedy"]
            assert files_below(lab.inbox) == {"talk.mp3": talk}
            assert lab.calls("submit") == submits

        eventually((lab.done / "talk.mp3").exists)
        assert_balanced(lab, daemon, first, talk)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    with tempfile.TemporaryDirectory(prefix="dropscribe-done-", dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != tmp_path.stat().st_dev, "the temporary folder must not lie in /dev/shm"
        yield Path(folder)


def test_a_stop_does_not_wait_for_a_large_source_that_is_copied_to_a_slow_disk(lab: Lab, elsewhere: Path) -> None:
    lab.done = elsewhere / "done"
    lab.configure({"done": str(lab.done)}, storage={"multipart_above": "100MB"})
    lab.drop("first.mp3")
    assert lab.run_once().returncode == 0
    ((ledger_id,),) = lab.ledger("SELECT value FROM meta WHERE name = 'ledger_id'")
    aside = lab.done / os.fsdecode(partial_name(os.fsdecode(private_name(2, ledger_id))))
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        with slow(daemon.process.pid, "write", 1.0, aside):
            film = lab.drop("film.mp4", bytes(range(256)) * 4096 * 40)
            eventually(aside.exists)
            assert daemon.stop() == 0

    assert files_below(lab.inbox) == {"film.mp4": film}
    assert set(files_below(lab.done)) == {"first.mp3"}
    assert lab.run_once().returncode == 0
    assert files_below(lab.done)["film.mp4"] == film
    assert sum(lab.billed().values()) == 2
    lab.assert_nothing_private_is_left()
