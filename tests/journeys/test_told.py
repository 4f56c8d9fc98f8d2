"""Told when it matters: a webhook and a command hear of every file at least once, and no file waits for them."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Lab, eventually, files_below, free_port
from receivers import Receiver, receiving

SECRET = "a-secret-of-many-letters"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def told_at(receiver: Receiver, **more: Any) -> dict[str, Any]:
    return {"webhook": {"url": receiver.url, "secret": SECRET}, **more}


def paths(receiver: Receiver, event: str) -> set[str]:
    return {item["path"] for item in receiver.told(event)}


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_webhook_hears_of_every_file_at_least_once_across_kill_9(lab: Lab, receiver: Receiver) -> None:
    lab.configure(notify=told_at(receiver))
    receiver.answers = lambda number: 500
    with lab.start() as daemon:
        for number in range(3):
            lab.drop(f"{number}.mp3")
        lab.drop("broken.mp3", b"BROKEN:FILE_PARSE_FAILED")
        eventually(lambda: receiver.calls and len(files_below(lab.done)) == 3 and files_below(lab.failed))
        daemon.kill()
    receiver.answers = lambda number: 204

    with lab.start() as daemon:
        eventually(lambda: paths(receiver, "delivered") == {"0.mp3", "1.mp3", "2.mp3"})
        eventually(lambda: paths(receiver, "failed") == {"broken.mp3"})
        assert daemon.stop() == 0

    [failed] = receiver.told("failed")
    assert failed["code"] == "FILE_PARSE_FAILED"
    assert failed["remedy"]
    assert b"of-the-address" not in daemon.log_path.read_bytes()


def test_a_webhook_that_fails_delays_no_file_and_is_said_once(lab: Lab, receiver: Receiver) -> None:
    lab.configure(notify=told_at(receiver))
    receiver.answers = lambda number: 503
    with lab.start() as daemon:
        for number in range(10):
            lab.drop(f"{number}.mp3")
        eventually(lambda: len(files_below(lab.done)) == 10)
        eventually(lambda: daemon.logged("notify.failing"))

        assert daemon.stop() == 0
        assert len(daemon.logged("notify.failing")) == 1
        assert not daemon.logged("scope.opened")


def test_a_command_is_told_by_run_once_and_never_sees_our_secrets(lab: Lab) -> None:
    script = "cat >> told.json; echo >> told.json; env >> seen.txt"
    lab.configure(notify={"command": ["/bin/sh", "-c", script]})
    lab.drop("talk.mp3")

    assert lab.run_once().returncode == 0

    [message] = [json.loads(line) for line in (lab.root / "told.json").read_text().splitlines()]
    assert (message["event"], [item["path"] for item in message["items"]]) == ("delivered", ["talk.mp3"])
    seen = (lab.root / "seen.txt").read_text()
    assert "DROPSCRIBE_PATH=talk.mp3\n" in seen
    assert lab.sandbox.settings.api_key not in seen
    assert lab.ledger("SELECT count(*) FROM notice") == [(0,)]


def test_a_command_that_hangs_ends_with_the_daemon_and_delays_nothing(lab: Lab) -> None:
    lab.configure(notify={"command": ["/bin/sh", "-c", "echo $$ > pid; sleep 1000"], "timeout": "10m"})
    with lab.start() as daemon:
        lab.drop("talk.mp3")
        eventually((lab.root / "pid").exists)
        lab.drop("other.mp3")
        eventually((lab.done / "other.mp3").exists)

        assert daemon.stop() == 0

    number = (lab.root / "pid").read_text().strip()
    eventually(lambda: not is_alive(number))
    assert lab.ledger("SELECT count(*) FROM notice") == [(2,)], "what was not taken is told later"


def is_alive(number: str) -> bool:
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_metrics_and_health_answer_to_this_machine_only(lab: Lab) -> None:
    port = free_port()
    lab.configure(metrics={"port": port})
    with lab.start() as daemon:
        eventually(lambda: daemon.logged("metrics.serving"))
        lab.drop("private name.mp3")
        eventually((lab.done / "private name.mp3").exists)

        def delivered() -> str | None:
            status, text = get(port, "/metrics", Accept="application/openmetrics-text")
            return text if status == 200 and 'dropscribe_files{state="delivered"} 1.0' in text else None

        text = eventually(delivered)
        assert text.endswith("# EOF\n")
        assert "private" not in text
        assert get(port, "/healthz") == (200, "ok\n")
        assert get(port, "/metrics", Host="evil.example")[0] == 421

        other = free_port()
        lab.configure(metrics={"port": other})
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(daemon.logged("metrics.serving")) == 2)
        assert get(other, "/healthz")[0] == 200
        assert daemon.stop() == 0
