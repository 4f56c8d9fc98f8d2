"""A daemon with nothing to do and a large library that keeps its sources, beside one with an empty folder."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.processes import Daemon, configure, daemon, sandbox
from bench.remembering import on_disk, remember
from bench.sizes import Sizes
from dropscribe.watch import STRETCH

RESCAN = 60.0
"""A rescan is made each 60 s, or after `STRETCH` times what the last one took where that is more."""

BUSY = 0.05
"""CPU seconds; a second with more belongs to a scan, and not to resting."""


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """CPU % of one core at rest, CPU s of the first scan, resident MB.

    At the stretched pace a rescan comes so seldom that no window of a minute can hold its fair share: seconds in which
    one runs are left out, and its share is reckoned.
    """
    rows = []
    for variant, files in (("empty folder", 0), ("library", sizes.remembered)):
        here = folder / variant.split()[0]
        (here / "inbox").mkdir(parents=True)
        _fill(here / "inbox", files)
        with sandbox(here) as config:
            configure(here, config, done="keep", settle="5s")
            remember(here / "state", "sandbox", here / "outbox", on_disk(here / "inbox"), files)
            rows.append({"variant": variant, "files": files, **_watched(here, sizes.idle_seconds)})
    return rows


def _watched(folder: Path, seconds: int) -> dict[str, float]:
    with daemon(folder) as running:
        ready = running.cpu()
        running.quiet(120)
        scan = running.cpu() - ready
        spent = list(_seconds(running, seconds))
        resting = [one for one in spent if one <= BUSY] or spent
        at_rest = 100 * sum(resting) / len(resting)
        return {
            "CPU % at rest": round(at_rest, 3),
            "seconds of a rescan left out": len(spent) - len(resting),
            "CPU s of a scan": round(scan, 2),
            "CPU % with its share of a rescan": round(at_rest + 100 * scan / max(RESCAN, STRETCH * scan), 3),
            "RSS MB": round(running.rss_mb(), 1),
            "peak MB": round(running.peak_mb(), 1),
        }


def _seconds(running: Daemon, seconds: int) -> Iterator[float]:
    """What each second costs."""
    before = running.cpu()
    for _ in range(seconds):
        time.sleep(1.0)
        now = running.cpu()
        yield now - before
        before = now


def _fill(inbox: Path, files: int) -> None:
    for number in range(files):
        (inbox / f"talk {number:06}.mp3").write_bytes(b"sound")
