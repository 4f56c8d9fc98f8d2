"""The spend guard: over the limit files wait, explained, and go on when there is room. Nothing is counted twice."""

import json
import signal
from pathlib import Path
from typing import Any

from dropscribe.sandbox import RunningSandbox
from lab import Lab, eventually, files_below

RECORDINGS = Path(__file__).parents[2] / "daemon/dropscribe/sandbox/recordings"
SPEECH = (RECORDINGS / "jfk_en.flac").read_bytes()  # 11 s
LONG = (RECORDINGS / "librivox_sense_and_sensibility_en.flac").read_bytes()  # 26.7 s


def hours(seconds: float) -> float:
    return seconds / 3600


def status(lab: Lab) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(lab.call("status", "--json").stdout)
    return told


def reason(lab: Lab, path: str) -> str:
    return next((file["reason"] or "" for file in status(lab)["files"] if file["path"] == path), "")


def test_files_over_the_limit_wait_and_say_so_and_go_on_when_it_is_raised(lab: Lab) -> None:
    lab.configure(limits={"hours_per_day": hours(15)})
    with lab.start() as daemon:
        lab.drop("first.flac", SPEECH)
        eventually((lab.done / "first.flac").exists)
        lab.drop("second.flac", SPEECH + b"another")
        lab.drop("long.flac", LONG)
        [said] = eventually(lambda: [e for e in daemon.logged("scope.opened") if e["scope"] == "limits"])
        eventually(lambda: [e for e in daemon.logged("scope.opened") if e["scope"] == "limits:too-long"])

        assert said["remedy"]
        assert "limits.hours_per_day" in reason(lab, "second.flac")
        assert "more than the whole day's limit" in reason(lab, "long.flac")
        assert lab.calls("put") == 1, "what may not be paid for is not uploaded either"
        again = lab.drop("again.flac", SPEECH)
        eventually((lab.done / "again.flac").exists)
        assert again == SPEECH, "what is known already costs nothing and is not held"
        found = status(lab)["spending"]
        assert found["held_files"] == 2
        assert found["day_limit_hours"] == round(hours(15), 4)

        lab.configure(limits={"hours_per_day": 1})
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(files_below(lab.done)) == 4)
        eventually(lambda: len(daemon.logged("scope.closed")) == 2)
        assert daemon.stop() == 0

    spent = status(lab)["spending"]
    billed = sum(entry["seconds"] for entry in lab.sandbox.state()["book"])
    assert round(spent["today_hours"] * 3600) == round(billed)
    assert spent["reserved_hours"] == 0
    assert set(lab.billed().values()) == {1}


def test_a_death_after_the_reservation_counts_nothing_twice(lab: Lab) -> None:
    lab.configure(limits={"hours_per_day": hours(15)})
    lab.drop("talk.flac", SPEECH)
    assert lab.run_once(kill_at="upload.put:effect:1").returncode == -9
    assert lab.ledger("SELECT state, seconds FROM reservation") == [("reserved", 11.0)]

    assert lab.run_once().returncode == 0

    assert lab.ledger("SELECT count(*) FROM reservation") == [(0,)]
    [(billed,)] = lab.ledger("SELECT sum(billed) FROM spent")
    assert billed == sum(entry["seconds"] for entry in lab.sandbox.state()["book"])


def test_run_once_ends_with_1_when_the_limit_outlasts_its_patience(lab: Lab) -> None:
    lab.configure(limits={"hours_per_month": hours(5)})
    data = lab.drop("talk.flac", SPEECH)

    ran = lab.run_once(patience="500ms")

    assert ran.returncode == 1
    assert files_below(lab.inbox) == {"talk.flac": data}
    assert lab.sandbox.state()["book"] == []


def test_a_plan_is_what_is_then_billed_at_most(lab: Lab, sandbox: RunningSandbox) -> None:
    lab.drop("talk.flac", SPEECH)
    lab.drop("copy.flac", SPEECH)
    told = json.loads(lab.call("plan", "--json").stdout)

    assert lab.run_once().returncode == 0

    assert (told["total"]["files"], told["copies"]) == (1, 1)
    billed = sum(entry["seconds"] for entry in sandbox.state()["book"])
    assert 0 < billed <= told["total"]["hours"] * 3600 + 0.01
    assert json.loads(lab.call("plan", "--json").stdout)["total"]["files"] == 0
