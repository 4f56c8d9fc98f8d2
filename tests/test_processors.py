"""Threads that take turns at one interpreter run on one processor; large work, and programs, run on any."""

import json
import os
import subprocess
import sys

import pytest

from dropscribe.processors import LARGE

ALL = sorted(os.sched_getaffinity(0))

pytestmark = pytest.mark.skipif(len(ALL) < 2, reason="there is one processor")


def in_a_child(*lines: str) -> list[list[int]]:
    """What a script tells of where it runs, asked of a process of its own."""
    before = [
        "import json, os, subprocess, sys, threading",
        "from dropscribe.processors import anywhere, share_one",
        "TELL = 'import json, os; print(json.dumps(sorted(os.sched_getaffinity(0))), flush=True)'",
        "def in_a_thread():",
        "    thread = threading.Thread(target=exec, args=(TELL,)); thread.start(); thread.join()",
        "def in_a_program():",
        "    subprocess.run([sys.executable, '-c', TELL], check=True)",
    ]
    command = [sys.executable, "-c", "\n".join([*before, *lines])]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_all_threads_stay_on_one_of_the_processors_that_the_process_may_use() -> None:
    first, second = in_a_child("share_one()", "in_a_thread()", "in_a_thread()")

    assert first == second
    assert len(first) == 1
    assert set(first) < set(ALL)


def test_large_work_and_what_it_starts_run_anywhere_and_the_thread_comes_back() -> None:
    anywhere, program, back = in_a_child(
        "share_one()", f"with anywhere({LARGE}):", "    exec(TELL)", "    in_a_program()", "exec(TELL)"
    )

    assert anywhere == program == ALL
    assert len(back) == 1


def test_small_work_stays_where_it_is() -> None:
    [where] = in_a_child("share_one()", f"with anywhere({LARGE - 1}):", "    exec(TELL)")

    assert len(where) == 1


def test_whoever_gave_the_process_few_processors_is_heeded() -> None:
    [where] = in_a_child(f"os.sched_setaffinity(0, [{ALL[0]}])", "share_one()", "with anywhere():", "    exec(TELL)")

    assert where == [ALL[0]]


def test_a_program_that_never_shares_one_is_left_where_it_runs() -> None:
    assert in_a_child("with anywhere():", "    exec(TELL)", "exec(TELL)") == [ALL, ALL]
