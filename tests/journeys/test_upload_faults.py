"""An inbox that is out of order, a file that cannot be read, a disk that is full: nothing is taken for gone, no other
inbox waits, and `run --once` comes to its end.
"""

import os
import subprocess
import time
from pathlib import Path

from disks import small_disk, unmount
from lab import Lab, events_in, eventually, files_below, quick_inbox, sha256


def test_a_file_of_an_unmounted_inbox_is_not_withdrawn_though_the_empty_mount_point_remains(lab: Lab) -> None:
    lab.configure(inbox={"rescan": "1h"})
    with small_disk(lab.inbox), lab.start() as daemon:
        lab.sandbox.inject("put", "error", status=403, code="AccessDenied")
        lab.drop("talk.mp3")
        eventually(lambda: daemon.logged("file.taken"))
        eventually(lambda: lab.calls("put"))
        unmount(lab.inbox)
        lab.sandbox.clear_faults()
        eventually(lambda: [e for e in daemon.logged("scope.opened") if e["scope"].startswith("folder:")])
        assert daemon.stop() == 0

    assert lab.ledger("SELECT state FROM media") == [("waiting",)]
    assert daemon.logged("source.withdrawn") == []


def test_files_of_a_missing_inbox_wait_quietly_and_the_other_inbox_gets_its_turn(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("away"), quick_inbox("well")], retry={"first_wait": "1s", "longest_wait": "5s"})
    lab.sandbox.inject("put", "error", status=403, code="AccessDenied")
    for n in range(20):
        lab.drop(f"{n}.mp3", inbox="away/inbox")
    with lab.start() as daemon:
        eventually(lambda: len(daemon.logged("file.taken")) == 20)
        (lab.root / "away/inbox").rename(lab.root / "elsewhere")
        data = lab.drop("talk.mp3", inbox="well/inbox")
        lab.sandbox.clear_faults()
        eventually((lab.root / "well/done/talk.mp3").exists, within=8)
        before, began = cpu_seconds(daemon.process.pid), time.monotonic()
        eventually(lambda: time.monotonic() > began + 1.5)
        busy = cpu_seconds(daemon.process.pid) - before

        (lab.root / "elsewhere").rename(lab.root / "away/inbox")
        eventually(lambda: len(files_below(lab.root / "away/done")) == 20)

    assert busy < 0.6
    assert lab.heard("well/outbox") == {"talk.json": sha256(data)}


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_copy_in_a_healthy_inbox_is_uploaded_where_the_first_ones_inbox_is_missing(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("away"), quick_inbox("well")])
    lab.sandbox.inject("put", "error", status=403, code="AccessDenied")
    lab.drop("talk.mp3", b"twice", inbox="away/inbox")
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("file.taken"))
        lab.drop("copy.mp3", b"twice", inbox="well/inbox")
        eventually(lambda: len(daemon.logged("file.taken")) == 2)
        (lab.root / "away/inbox").rename(lab.root / "elsewhere")
        lab.sandbox.clear_faults()
        eventually((lab.root / "well/done/copy.mp3").exists)

    assert dict(lab.billed()) == {sha256(b"twice"): 1}


def test_a_refused_upload_fails_its_file_at_once(lab: Lab) -> None:
    lab.configure(inbox={"rescan": "1h"})
    lab.sandbox.inject("put", "error", status=400, code="InvalidObjectName")
    with lab.start():
        lab.drop("talk.mp3")
        eventually((lab.failed / "talk.mp3").exists, within=5)


def test_once_with_a_full_state_disk_ends_with_1_after_the_patience(lab: Lab) -> None:
    lab.drop("talk.mp3")
    with small_disk(lab.state, "64k"):
        (lab.state / "ballast").write_bytes(bytes(60_000))

        ran = lab.run_once(patience="500ms")

        assert ran.returncode == 1
        assert "this is a bug" not in ran.stderr and "free space" in ran.stderr
        assert files_below(lab.inbox)


def test_a_daemon_on_a_full_state_disk_waits_and_goes_on_when_there_is_room(lab: Lab) -> None:
    with small_disk(lab.state):
        ballast = lab.state / "ballast"
        fill(ballast)
        with lab.start() as daemon:
            eventually(lambda: daemon.logged("scope.opened"))
            assert daemon.process.poll() is None
            ballast.unlink()
            lab.drop("talk.mp3")
            eventually((lab.done / "talk.mp3").exists)
            assert daemon.logged("scope.closed")
            assert daemon.stop() == 0


def fill(ballast: Path) -> None:
    """Leave no room on this disk."""
    with open(ballast, "ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def test_a_state_disk_that_fills_up_while_files_are_under_way_ends_once_with_1(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=3.0)
    lab.drop("talk.mp3")
    with small_disk(lab.state):
        log = lab.root / "once.log"
        with (
            open(log, "wb") as stderr,
            subprocess.Popen(
                lab.command("run", "--once", "--patience", "1s", "--log-format", "json"), cwd=lab.root, stderr=stderr
            ) as running,
        ):
            try:
                eventually(lambda: lab.calls("submit") == 1)
                fill(lab.state / "ballast")
                code = running.wait(20)
            finally:
                running.kill()

    assert code == 1
    assert [line["scope"] for line in events_in(log.read_text()) if line["event"] == "scope.opened"] == ["ledger"]
