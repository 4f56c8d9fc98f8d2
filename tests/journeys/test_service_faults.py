"""A fault of the account, the network, the service or the disk harms no file: all is delivered when it has passed."""

import re
import socket
import subprocess
from typing import Any

import pytest

from disks import small_disk
from lab import Lab, events_in, eventually, files_below, quick_inbox, sha256

ON_THE_WIRE: list[dict[str, Any]] = [
    {"does": "drop"},
    {"does": "error", "status": 500},
    {"does": "error", "status": 503},
    {"does": "truncate"},
    {"does": "not_json"},
    {"does": "lost"},
]
BAD_DAYS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "uploads": [("put", fault) for fault in ON_THE_WIRE],
    "deletes": [("delete_many", {"does": "drop"})],
    "results": [("result", fault) for fault in (*ON_THE_WIRE, {"does": "expired"})],
    "queries": [
        ("query", {"does": "error", "status": 429, "code": "Throttling"}),
        ("query", {"does": "drop"}),
        ("query", {"does": "error", "status": 500}),
    ],
    "what a task is": [("query", {"does": "unknown"}), ("query", {"does": "status", "code": "THINKING"})],
    "lists": [("list", {"does": "truncate"})],
    "the service's downloads": [
        ("download", {"does": "drop"}),
        ("download", {"does": "error", "code": "FILE_404_NOT_FOUND"}),
        ("download", {"does": "error", "code": "FILE_403_FORBIDDEN"}),
        ("subtask", {"does": "fail", "code": "RECOGNIZE_FAILED"}),
    ],
}


@pytest.mark.parametrize("day", BAD_DAYS.values(), ids=BAD_DAYS.keys())
def test_a_bad_day_costs_time_and_nothing_else(lab: Lab, day: list[tuple[str, dict[str, Any]]]) -> None:
    """Each fault strikes one call, one after the other."""
    for number, (call, fault) in enumerate(day):
        lab.sandbox.inject(call, skip=number, times=1, **fault)
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(8)}

    assert lab.run_once().returncode == 0

    assert [fault["struck"] for fault in lab.sandbox.state()["faults"]] == [1] * len(day)
    assert files_below(lab.done) == files
    assert dict(lab.billed()) == {sha256(data): 1 for data in files.values()}
    lab.assert_bucket_is_empty()


def test_each_file_gets_its_own_words_whatever_the_order_of_the_results(lab: Lab) -> None:
    for does in ("reorder", "duplicate", "foreign"):
        lab.sandbox.inject("query", does)
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(5)}

    assert lab.run_once().returncode == 0

    assert lab.heard() == {path.replace("mp3", "json"): sha256(data) for path, data in files.items()}
    for path, data in files.items():
        said = lab.transcript(path.replace("mp3", "json"))["text"]
        assert sha256(data)[:16] in said, "the sandbox says the sha256 of what it heard"


@pytest.mark.parametrize(("looks", "tasks"), [(1, [3]), (3, [3, 1])], ids=["in one look", "for good"])
def test_a_file_that_is_missing_from_a_finished_task_is_sent_again_alone_only_if_it_stays_missing(
    lab: Lab, looks: int, tasks: list[int]
) -> None:
    lab.configure(model_studio={"poll": {"first": "400ms"}})  # the task has ended when it is asked for
    lab.sandbox.inject("query", "missing", times=looks)
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(3)}

    assert lab.run_once().returncode == 0

    assert [len(task["files"]) for task in lab.sandbox.state()["tasks"]] == tasks
    assert files_below(lab.done) == files


def test_downloads_that_fail_for_every_file_are_no_fault_of_the_files(lab: Lab) -> None:
    lab.sandbox.inject("download", "error", code="InvalidFile.DownloadFailed")
    files = {f"{n}.mp3": lab.drop(f"{n}.mp3") for n in range(4)}

    stuck = lab.run_once(patience="2s")

    assert files_below(lab.failed) == {}
    assert files_below(lab.inbox) == files
    assert stuck.returncode == 1
    lab.sandbox.clear_faults()
    assert lab.run_once().returncode == 0
    assert files_below(lab.done) == files


@pytest.mark.parametrize(("what", "at_start"), [("api_key", True), ("api_key", False), ("access_key_secret", True)])
def test_a_wrong_key_ends_no_daemon_and_harms_no_file(lab: Lab, what: str, at_start: bool) -> None:
    right = getattr(lab.sandbox.settings, what)
    if at_start:
        lab.sandbox.change(**{what: "sk-another"})
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))
        if not at_start:
            lab.drop("before.mp3")
            eventually((lab.done / "before.mp3").exists)
            lab.sandbox.change(**{what: "sk-another"})
        waits = lab.drop("waits.mp3")
        call = "list" if what == "api_key" else "put"  # what costs nothing is tried, again and again
        base = lab.calls(call)
        eventually(lambda: lab.calls(call) >= base + 2)
        eventually(lambda: daemon.logged("scope.opened"))

        assert files_below(lab.inbox) == {"waits.mp3": waits}
        [opened] = daemon.logged("scope.opened")
        assert opened["remedy"]

        lab.sandbox.change(**{what: right})
        eventually((lab.done / "waits.mp3").exists)
        assert daemon.logged("scope.closed")
        assert daemon.stop() == 0

    assert set(lab.billed().values()) == {1}
    assert files_below(lab.failed) == {}


def test_an_api_that_cannot_be_reached_ends_once_with_1_after_the_patience_and_the_files_wait(lab: Lab) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        lab.configure(model_studio={"endpoint": f"http://127.0.0.1:{nobody.getsockname()[1]}"})
        files = {"a/talk.mp3": lab.drop("a/talk.mp3")}

        ran = lab.run_once(patience="300ms")

    assert ran.returncode == 1
    told = events_in(ran.stderr)
    opened = [event["scope"] for event in told if event["event"] == "scope.opened"]
    [ended] = [event["reason"] for event in told if event["event"] == "once.ended"]
    assert ended.startswith("out of order: ") and set(opened) <= set(re.split(r"[ ,]+", ended))
    assert files_below(lab.inbox) == files
    assert files_below(lab.failed) == {}


def an_obstacle(lab: Lab) -> None:
    """A person's file stands where a folder is needed."""
    lab.outbox.mkdir()
    (lab.outbox / "a").write_bytes(b"a person's own")
    lab.drop("a/talk.mp3")


def test_an_obstacle_in_the_outbox_stays_and_ends_once_with_1_after_the_patience(lab: Lab) -> None:
    an_obstacle(lab)
    command = lab.command("run", "--once", "--patience", "500ms")
    with subprocess.Popen(command, cwd=lab.root, stderr=subprocess.DEVNULL) as running:
        try:
            code: int | None = running.wait(6)
        except subprocess.TimeoutExpired:
            running.kill()
            code = None

    assert (lab.outbox / "a").read_bytes() == b"a person's own"
    assert set(files_below(lab.inbox)) == {"a/talk.mp3"}
    assert code == 1


def test_an_obstacle_in_the_way_of_one_file_stops_no_other(lab: Lab) -> None:
    an_obstacle(lab)
    with lab.start():
        eventually(lambda: lab.calls("submit"))
        lab.drop("b/talk.mp3")
        eventually((lab.done / "b/talk.mp3").exists, within=2.5)


def test_a_bucket_that_refuses_deletes_is_said_once_and_stops_no_upload(lab: Lab) -> None:
    lab.configure(retry={"first_wait": "3s", "longest_wait": "1m"})
    lab.sandbox.inject("delete_many", "error", status=403, code="AccessDenied")
    lab.drop("first.mp3")
    with lab.start() as daemon:
        eventually((lab.done / "first.mp3").exists)
        eventually(lambda: lab.calls("delete_many"))
        for name in ("second.mp3", "third.mp3"):
            lab.drop(name)
            eventually((lab.done / name).exists, within=2.0)
        assert len(daemon.logged("scope.opened")) == 1


def test_a_full_outbox_waits_keeps_no_audio_in_the_cloud_and_stops_no_other_inbox(lab: Lab) -> None:
    lab.configure(inboxes=[quick_inbox("full"), quick_inbox("well")])
    with small_disk(lab.root / "full/outbox", "64k"):
        ballast = lab.root / "full/outbox/ballast"
        ballast.write_bytes(bytes(60_000))
        data = lab.drop("talk.mp3", b"first", inbox="full/inbox")
        with lab.start() as daemon:
            eventually(lambda: daemon.logged("scope.opened"))
            lab.drop("talk.mp3", b"second", inbox="well/inbox")
            eventually((lab.root / "well/done/talk.mp3").exists)
            eventually(lambda: lab.sandbox.state()["objects"] == [])

            assert files_below(lab.root / "full/inbox") == {"talk.mp3": data}
            visible = {path for path in files_below(lab.root / "full/outbox") if not path.startswith(".dropscribe-")}
            assert visible == {"ballast"}

            ballast.unlink()
            eventually((lab.root / "full/done/talk.mp3").exists)
            assert daemon.stop() == 0
        assert set(files_below(lab.root / "full/outbox")) == {"talk.json", "talk.srt"}
        assert lab.heard("full/outbox") == {"talk.json": sha256(data)}
        assert dict(lab.billed()) == {sha256(b"first"): 1, sha256(b"second"): 1}


def test_a_done_folder_on_another_disk_gets_the_source_whole(lab: Lab) -> None:
    with small_disk(lab.done, "64k"):
        data = lab.drop("a/talk.mp3")

        assert lab.run_once().returncode == 0

        assert files_below(lab.done) == {"a/talk.mp3": data}
        assert files_below(lab.inbox) == {}
        lab.assert_nothing_private_is_left()
