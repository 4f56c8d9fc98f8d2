"""What is no finished media file of ours stays where it is, untouched and unbilled."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from dropscribe.watch import probe_name
from lab import Lab, events_in, eventually, files_below, sha256


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)  # the names of sockets are short
        listener.bind(path.name)


ODD: dict[str, Callable[[Path], object]] = {
    "link.mp3": lambda path: path.symlink_to(path.parent.parent / "elsewhere.mp3"),
    "linked folder": lambda path: path.symlink_to(path.parent.parent / "linked"),
    "dangling.mp3": lambda path: path.symlink_to("nowhere.mp3"),
    "circle.mp3": lambda path: path.symlink_to(path.name),
    "upwards": lambda path: path.symlink_to(".."),
    "folder of links/round": lambda path: path.symlink_to("../folder of links"),
    "fifo.mp3": os.mkfifo,
    "socket.mp3": a_socket,
    "empty.mp3": lambda path: path.write_bytes(b""),
    "notes.txt": lambda path: path.write_bytes(b"text"),
    "no suffix": lambda path: path.write_bytes(b"text"),
    "mp3": lambda path: path.write_bytes(b"text"),
    "talk.mp3.part": lambda path: path.write_bytes(b"half"),
    "talk.mp3.crdownload": lambda path: path.write_bytes(b"half"),
    "talk.tmp": lambda path: path.write_bytes(b"half"),
    ".hidden.mp3": lambda path: path.write_bytes(b"sync tool"),
    "~lock.mp3": lambda path: path.write_bytes(b"lock"),
    ".hidden folder/inside.mp3": lambda path: path.write_bytes(b"sync tool"),
    "fetching.part/inside.mp3": lambda path: path.write_bytes(b"half"),
    "folder.mp3/notes.txt": lambda path: path.write_bytes(b"text"),
}


def test_odd_entries_stay_and_the_files_beside_them_are_delivered(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab.root)
    (lab.root / "elsewhere.mp3").write_bytes(b"not in the inbox")
    (lab.root / "linked").mkdir()
    (lab.root / "linked/inside.mp3").write_bytes(b"not in the inbox either")
    for name, make in ODD.items():
        (lab.inbox / name).parent.mkdir(parents=True, exist_ok=True)
        make(lab.inbox / name)
    before = {name: os.lstat(lab.inbox / name) for name in ODD}
    lab.drop("folder.mp3/talk.mp3")

    assert lab.run_once().returncode == 0

    after = {name: os.lstat(lab.inbox / name) for name in ODD}
    assert {name: (s.st_ino, s.st_size, s.st_mtime_ns) for name, s in after.items()} == {
        name: (s.st_ino, s.st_size, s.st_mtime_ns) for name, s in before.items()
    }
    assert (lab.root / "elsewhere.mp3").exists()
    assert (lab.root / "linked/inside.mp3").exists()
    assert set(lab.outputs()) == {"folder.mp3/talk.json", "folder.mp3/talk.srt"}
    assert files_below(lab.failed) == {}
    assert sum(lab.billed().values()) == 1


def test_include_and_exclude_choose_within_the_media_types(lab: Lab) -> None:
    lab.configure({"include": ["*.mp3", "films/*"], "exclude": ["drafts", "films/raw/*"]})
    taken = ["talk.mp3", "a/b/talk.mp3", "films/a.mp4", "raw/talk.mp3"]
    left = ["talk.wav", "drafts/talk.mp3", "a/drafts/talk.mp3", "films/raw/a.mp4", ".hidden/talk.txt"]
    for path in (*taken, *left):
        lab.drop(path)

    assert lab.run_once().returncode == 0

    assert set(files_below(lab.done)) == set(taken)
    assert set(files_below(lab.inbox)) == set(left)


WRITER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    file.write(b"first half, ")
    print("open", flush=True)
    sys.stdin.readline()
    file.write(b"second half")
"""
APPENDER = """
import select, sys
while not select.select([sys.stdin], [], [], 0.02)[0]:
    with open(sys.argv[1], "ab") as file:
        file.write(b"more ")
    print("open", flush=True)
"""


@pytest.mark.parametrize("script", [WRITER, APPENDER], ids=["held open", "growing"])
def test_a_file_is_not_taken_before_its_writer_is_done(lab: Lab, script: str) -> None:
    lab.inbox.mkdir()
    path = lab.inbox / "recording.mp3"
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        command = [sys.executable, "-c", script, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            assert writer.stdout and writer.stdin
            writer.stdout.readline()
            lab.drop("later.mp3")
            eventually((lab.outbox / "later.json").exists)
            lab.drop("much later.mp3")
            eventually((lab.outbox / "much later.json").exists)

            assert [event["path"] for event in daemon.logged("file.taken")] == ["later.mp3", "much later.mp3"]

            writer.stdin.write(b"done\n")
            writer.stdin.close()
            writer.wait()
        eventually((lab.done / "recording.mp3").exists)

    assert lab.heard()["recording.json"] == sha256((lab.done / "recording.mp3").read_bytes())
    assert set(lab.billed().values()) == {1}
    assert len(lab.billed()) == 3


def test_the_age_of_an_mtime_does_not_make_a_file_settled_at_start_up(lab: Lab) -> None:
    """cp -p and rsync give a growing file any mtime: only two looks of our own count."""
    lab.configure({"settle": "700ms"})
    lab.drop("copied.mp3")
    os.utime(lab.inbox / "copied.mp3", (1, 1))

    events = {event["event"]: datetime.fromisoformat(event["timestamp"]) for event in events_in(lab.run_once().stderr)}

    assert (events["file.taken"] - events["daemon.started"]).total_seconds() >= 0.7


def test_a_probe_that_a_death_left_in_an_inbox_goes_with_the_next_start(lab: Lab) -> None:
    lab.drop("talk.mp3")
    assert lab.run_once().returncode == 0
    [(ledger_id,)] = lab.ledger("SELECT value FROM meta WHERE name = 'ledger_id'")
    lab.drop(probe_name(ledger_id, "talks"), b"")

    assert lab.run_once().returncode == 0

    lab.assert_nothing_private_is_left()
