"""How `dropscribe run` ends, and what its exit codes say."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import Lab, clean_environment, eventually, files_below, sha256


@pytest.mark.parametrize("arguments", [["--patience", "soon", "--once"], ["--nonsense"]], ids=" ".join)
def test_wrong_usage_is_64(lab: Lab, arguments: list[str]) -> None:
    ran = lab.call("run", *arguments)

    assert ran.returncode == 64
    assert arguments[0] in ran.stderr


def test_a_faulty_configuration_is_78_and_all_its_faults_are_said_at_once(lab: Lab) -> None:
    lab.config.write_text(
        "storge: {bucket: b, region: cn-beijing}\n"
        "model_studio:\n"
        "  submit_rate: many\n"
        "inboxes:\n"
        "  - inbox: one\n"
        "    settle: 5 parsecs\n"
        "  - outbox: two\n"
    )

    ran = lab.call("run", "--once")

    assert ran.returncode == 78
    faults = ("storge (line 1)", "storage", "submit_rate (line 3)", "inboxes[0].settle (line 6)", "inboxes[1].inbox")
    assert [fault for fault in faults if fault not in ran.stderr] == []


def test_an_absent_configuration_is_78(lab: Lab) -> None:
    lab.config.unlink()

    ran = lab.call("run")

    assert ran.returncode == 78
    assert "config.yaml" in ran.stderr


def test_a_second_daemon_on_the_same_state_folder_is_75_and_disturbs_nobody(lab: Lab) -> None:
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("daemon.started"))

        assert lab.run_once().returncode == 75

        lab.drop("talk.mp3")
        eventually((lab.done / "talk.mp3").exists)
        assert daemon.stop() == 0


STOPS = {
    "SIGTERM, a submit takes a second": (signal.SIGTERM, {"does": "delay", "seconds": 1.0}),
    "SIGINT, a submit is never answered": (signal.SIGINT, {"does": "hang", "times": 1}),
}


@pytest.mark.parametrize(("number", "submit"), STOPS.values(), ids=STOPS.keys())
def test_the_daemon_ends_well_within_ten_seconds_whatever_hangs(
    lab: Lab, number: signal.Signals, submit: dict[str, Any]
) -> None:
    """A result that does not come, an upload that stands still, and a submit that has not been answered."""
    slow = lab.drop("its result hangs.mp3")
    lab.sandbox.inject("result", "hang")
    with lab.start() as daemon:
        eventually(lambda: lab.sandbox.state()["tasks"])
        lab.sandbox.inject("submit", **submit)
        answered = lab.drop("its submit hangs.mp3")
        eventually(lambda: len(daemon.logged("file.uploaded")) == 2)
        eventually(lambda: lab.sandbox.state()["faults"][-1]["struck"])
        lab.sandbox.inject("put", "hang")
        cut = lab.drop("its upload hangs.mp3")
        eventually(lambda: len(daemon.logged("file.taken")) == 3)

        daemon.process.send_signal(number)
        assert daemon.process.wait(10) == 0

    lab.sandbox.clear_faults()
    assert lab.run_once().returncode == 0
    assert dict(lab.billed()) == {sha256(data): 1 for data in (slow, answered, cut)}
    assert len(lab.heard()) == 3


def test_once_interrupted_is_130_and_goes_on_the_next_time(lab: Lab) -> None:
    lab.sandbox.change(task_seconds=30.0)
    data = lab.drop("talk.mp3")
    command = lab.command("run", "--once")
    with subprocess.Popen(command, cwd=lab.root, stderr=subprocess.DEVNULL, env=clean_environment()) as running:
        eventually(lambda: lab.calls("submit") == 1)
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
    assert files_below(lab.inbox) == {"talk.mp3": data}

    lab.sandbox.advance(60)
    assert lab.run_once().returncode == 0
    assert dict(lab.billed()) == {sha256(data): 1}


def test_once_takes_what_lies_there_now_and_is_done_with_an_empty_inbox_at_once(lab: Lab) -> None:
    assert lab.run_once().returncode == 0

    assert lab.inbox.is_dir()
    assert lab.calls("submit") == 0


def test_the_configuration_is_found_in_the_environment_and_before_the_command_too(lab: Lab) -> None:
    elsewhere = lab.root / "elsewhere.yaml"
    lab.config.rename(elsewhere)
    lab.drop("talk.mp3")
    start = [sys.executable, "-m", "dropscribe"]
    named = {**clean_environment(), "DROPSCRIBE_CONFIG": str(elsewhere)}

    by_name = subprocess.run([*start, "run", "--once"], cwd="/", env=named, check=False, capture_output=True)
    assert by_name.returncode == 0, by_name.stderr

    assert set(lab.outputs()) == {"talk.json", "talk.srt"}


def test_a_state_folder_that_cannot_be_made_is_named_with_its_reason(lab: Lab) -> None:
    lab.configure(state="/proc/state")

    ran = lab.run_once()

    assert ran.returncode == 1
    assert "the state folder /proc/state cannot be used: /proc/state: No such file or directory" in ran.stderr
    assert "Errno" not in ran.stderr


def test_a_daemon_whose_every_output_is_closed_works_and_no_file_of_its_own_gets_their_numbers(lab: Lab) -> None:
    lab.drop("talk.mp3")
    closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    with subprocess.Popen([*closed, *lab.command("run")], cwd=lab.root, env=clean_environment()) as process:
        try:
            eventually((lab.done / "talk.mp3").exists)
            numbers = Path(f"/proc/{process.pid}/fd")
            assert {str((numbers / number).readlink()) for number in "012"} == {"/dev/null"}
        finally:
            process.terminate()
        assert process.wait(10) == 0
