"""`run --once` on a terminal: a bar while it works, a whole log, one line at the end."""

import re
from pathlib import Path

import pytest

from dropscribe.sandbox import RunningSandbox
from lab import Lab, clean_environment
from terminal import on_a_terminal, screen

pytestmark = pytest.mark.journey

EVENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \w+ +[a-z.-]+( \w+=.*)?")


@pytest.fixture
def lab(tmp_path: Path, sandbox: RunningSandbox) -> Lab:
    sandbox.change(task_seconds=1.5)
    lab = Lab(tmp_path, sandbox)
    for number in range(8):
        lab.drop(f"{number}.mp3")
    lab.drop("bad.mp3", b"BROKEN:DECODE_ERROR")
    return lab


def test_the_bar_moves_and_leaves_a_log_that_is_not_torn(lab: Lab) -> None:
    code, written = on_a_terminal(lab.command("run", "--once"), clean_environment(), columns=80)
    assert code == 2
    assert "of 9 files" in written and "\u2501" in written
    assert "of 1 task done" in written, "the count of tasks is not cut off"
    *log, last = screen(written)
    assert [line for line in log if not EVENT.fullmatch(line)] == []
    assert len([line for line in log if "file.delivered" in line]) == 8
    assert re.fullmatch(r"8 delivered, 1 failed in \d+ s \(`dropscribe status` says why\)", last)


def test_a_terminal_that_cannot_move_its_cursor_gets_the_log_alone(lab: Lab) -> None:
    code, written = on_a_terminal(lab.command("run", "--once"), clean_environment(), term="dumb")
    assert code == 2
    assert "\x1b[2K" not in written and "of 9 files" not in written


def test_json_on_a_terminal_is_left_alone(lab: Lab) -> None:
    code, written = on_a_terminal(lab.command("run", "--once", "--log-format", "json"), clean_environment())
    assert code == 2
    assert all(line.startswith("{") for line in written.splitlines() if line)
