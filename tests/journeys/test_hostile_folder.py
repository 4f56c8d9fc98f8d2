"""Folders that no tidy person would make: floods, trees that arrive whole, files that grow, disks that know no case."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from disks import caseless_disk
from lab import Lab, eventually, files_below, quick_inbox, sha256

ENTRIES = 200_000
FLOOD = 4_000 + int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
"""Some of these events are lost, and all that come after them."""
SELDOM = {"rescan": "1h"}
"""What is found in time was found by its event, or because events were known to be lost."""


def litter(folder: Path, count: int) -> None:
    """So many empty files that nobody wants transcribed; each of them is an event."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for n in range(count):
            os.close(os.open(f"{n}.txt", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    finally:
        os.close(descriptor)


def test_a_flood_that_overflows_the_kernels_queue_while_the_daemon_stands_still_is_found_whole(lab: Lab) -> None:
    lab.configure(SELDOM)
    lab.drop("first.mp3")
    with lab.start() as daemon:
        eventually((lab.done / "first.mp3").exists)
        daemon.process.send_signal(signal.SIGSTOP)
        litter(lab.inbox, FLOOD)
        files = {f"{n}/talk {n}.mp3": lab.drop(f"{n}/talk {n}.mp3") for n in range(100)}
        daemon.process.send_signal(signal.SIGCONT)
        eventually(lambda: len(files_below(lab.done)) == 101, within=60)
        assert daemon.stop() == 0
    assert {path: files_below(lab.done)[path] for path in files} == files
    assert set(lab.billed().values()) == {1}


def test_files_are_found_among_two_hundred_thousand_others_and_commands_still_answer(lab: Lab) -> None:
    lab.configure(SELDOM)
    (lab.inbox / "archive").mkdir(parents=True)
    litter(lab.inbox / "archive", ENTRIES)
    lab.drop("archive/before.mp3")
    with lab.start() as daemon:
        eventually((lab.done / "archive/before.mp3").exists, within=60)
        lab.drop("archive/after.mp3")
        eventually((lab.done / "archive/after.mp3").exists, within=60)
        assert lab.call("status", str(lab.outbox / "archive/after.srt")).returncode == 0
        assert daemon.stop() == 0
    assert len(os.listdir(lab.inbox / "archive")) == ENTRIES


def test_a_tree_that_is_moved_in_whole_is_delivered_whole(lab: Lab) -> None:
    lab.configure(SELDOM)
    names = [f"{a}/{b}/{c}/talk.mp3" for a in range(4) for b in range(4) for c in range(4)]
    files = {f"tree/{name}": lab.drop(f"tree/{name}", inbox="elsewhere") for name in names}
    lab.drop("first.mp3")
    with lab.start() as daemon:
        eventually((lab.done / "first.mp3").exists)
        (lab.root / "elsewhere/tree").rename(lab.inbox / "tree")
        eventually(lambda: len(files_below(lab.done)) == 1 + len(files), within=60)
        assert daemon.stop() == 0
    assert {path: files_below(lab.done)[path] for path in files} == files


@pytest.fixture
def caseless(lab: Lab) -> Iterator[Path]:
    folder = lab.root / "windows"
    with caseless_disk(folder):
        yield folder


def test_on_a_disk_that_knows_no_case_no_output_and_no_source_replaces_another(lab: Lab, caseless: Path) -> None:
    shared = {"outbox": "windows/out", "done": "windows/done"}
    lab.configure(inboxes=[quick_inbox("one", **shared), quick_inbox("two", **shared)])
    (caseless / "out").mkdir()
    (caseless / "out/NOTES.SRT").write_bytes(b"a person's own")
    contents = [
        lab.drop("Talk.mp3", b"mixed", inbox="one/inbox"),
        lab.drop("TALK.mp3", b"upper", inbox="two/inbox"),
        lab.drop("notes.mp3", b"notes", inbox="one/inbox"),
    ]

    for _ in range(2):
        assert lab.run_once().returncode == 0

    assert (caseless / "out/NOTES.SRT").read_bytes() == b"a person's own"
    assert sorted(files_below(caseless / "done").values()) == sorted(contents)
    assert set(lab.heard("windows/out").values()) == {sha256(data) for data in contents}
    assert len(files_below(caseless / "out")) == 1 + 2 * len(contents)
    assert dict(lab.billed()) == {sha256(data): 1 for data in contents}


def test_an_inbox_on_a_disk_that_knows_no_case_is_worked_off(lab: Lab, caseless: Path) -> None:
    lab.configure(inboxes=[{"name": "w", "inbox": "windows/inbox", "settle": "100ms", "rescan": "500ms"}])
    contents = [lab.drop(name, inbox="windows/inbox") for name in ("Talk.MP3", "Deep/Er/MEMO.wav", "ümlaut.mp3")]
    with lab.start() as daemon:
        eventually(lambda: len(files_below(caseless / "done")) == len(contents), within=30)
        contents.append(lab.drop("Later.mp3", inbox="windows/inbox"))
        eventually(lambda: len(files_below(caseless / "done")) == len(contents), within=30)
        assert daemon.stop() == 0

    assert sorted(files_below(caseless / "done").values()) == sorted(contents)
    assert set(lab.heard("windows/outbox").values()) == {sha256(data) for data in contents}
    assert dict(lab.billed()) == {sha256(data): 1 for data in contents}
