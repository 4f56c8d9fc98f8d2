"""From the end of a drop to the submit that the sandbox sees, less the configured waits; beside a plain program that
uploads and submits the same file at once.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.processes import configure, daemon, peer, sandbox, state_of
from bench.sizes import Sizes

SETTLE, MAX_WAIT = 0.5, 0.2
TOO_LONG = 30.0


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """Milliseconds; the sandbox dates a task when its submit has arrived, by the clock of this machine."""
    (folder / "inbox").mkdir()
    (folder / "copy.mp3").write_bytes(b"another file" * 340)
    with sandbox(folder) as config:
        configure(folder, config | {"batch": {"max_wait": f"{MAX_WAIT}s"}}, settle=f"{SETTLE}s")
        with daemon(folder) as running:
            running.quiet(10)
            waits = [_drop(folder, config, number, sizes.bytes) for number in range(sizes.drops)]
        for _ in range(min(10, sizes.drops)):
            peer(folder, "submit", "copy.mp3")
    plain = [1000 * json.loads(line) for line in (folder / "peer").read_text().splitlines()]
    ours = [1000 * (wait - SETTLE - MAX_WAIT) for wait in waits]
    return [
        {
            "drops": sizes.drops,
            "settle s": SETTLE,
            "max_wait s": MAX_WAIT,
            "median ms": round(median(ours), 1),
            "90 % ms": round(quantiles(ours, n=10)[-1], 1),
            "worst ms": round(max(ours), 1),
            "plain upload and submit ms": round(median(plain), 1),
            "median beyond the plain one ms": round(median(ours) - median(plain), 1),
        }
    ]


def _drop(folder: Path, config: Mapping[str, Any], number: int, size: int) -> float:
    """Seconds from the close of one file to the moment of its task."""
    known = len(state_of(config)["tasks"])
    (folder / "inbox" / f"talk {number}.mp3").write_bytes(f"{number:08}".encode() * (size // 8))
    closed = time.time()
    end = time.monotonic() + TOO_LONG
    while len(tasks := state_of(config)["tasks"]) == known:
        if time.monotonic() > end:
            raise SystemExit(f"no submit within {TOO_LONG} s; see {folder}/log")
        time.sleep(0.05)
    created: float = tasks[-1]["created"]
    return created - closed
