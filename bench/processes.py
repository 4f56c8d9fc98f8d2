"""Child processes and what they cost, by the kernel's own account."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Cost:
    """Of one finished process: seconds of wall and processor, and its largest resident memory in MB."""

    code: int
    wall: float
    cpu: float
    peak_mb: float


def run(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end; what it says goes to `log` in `folder`."""
    with open(folder / "log", "ab") as log:
        start = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(child.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextlib.contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own; yields the configuration it prints."""
    child = subprocess.Popen(
        [sys.executable, "-m", "dropscribe", "sandbox", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line)
            if line.strip().startswith("inbox:") or "inbox: ./inbox" in line:
                break
        yield yaml.safe_load("".join(lines))
    finally:
        child.terminate()
        child.wait(20)


def state_of(endpoint: str) -> dict[str, Any]:
    """What a sandbox knows: objects, tasks, the billing book, counters."""
    with urllib.request.urlopen(f"{endpoint}/_sandbox/state", timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
