"""A daemon with nothing to do and a large library that keeps its sources, beside one with an empty folder."""

import time
from pathlib import Path
from typing import Any

from bench.processes import configure, daemon, sandbox
from bench.remembering import on_disk, remember
from bench.sizes import Sizes

RESCAN = 60.0
STRETCH = 300
"""A rescan is made each 60 s, or after 300 times what the last one took where that is more (README, "Limits")."""


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """CPU % of one core and resident MB after the first scan, for each of the two."""
    rows = []
    for variant, files in (("empty folder", 0), ("library", sizes.remembered)):
        here = folder / variant.split()[0]
        (here / "inbox").mkdir(parents=True)
        _fill(here / "inbox", files)
        with sandbox(here) as config:
            configure(here, config, done="keep", settle="5s")
            remember(here / "state", "sandbox", here / "outbox", on_disk(here / "inbox"), files)
            rows.append({"variant": variant, "files": files, **_watched(here, sizes.idle_seconds)})
    rows[1]["CPU % beyond the empty folder"] = round(rows[1]["CPU %"] - rows[0]["CPU %"], 3)
    first = [row.pop("first scan CPU s") for row in rows]
    scan = max(0.0, first[1] - first[0])
    share = 100 * scan / max(RESCAN, STRETCH * scan)
    rows[1]["first scan CPU s"] = round(scan, 2)
    rows[1]["CPU % with its share of a rescan"] = round(rows[1]["CPU %"] + share, 3)
    return rows


def _watched(folder: Path, seconds: int) -> dict[str, float]:
    with daemon(folder) as running:
        running.quiet(120)
        begin, start = running.cpu(), time.monotonic()
        time.sleep(seconds)
        spent = running.cpu() - begin
        return {
            "first scan CPU s": begin,
            "CPU %": round(100 * spent / (time.monotonic() - start), 3),
            "RSS MB": round(running.rss_mb(), 1),
            "peak MB": round(running.peak_mb(), 1),
        }


def _fill(inbox: Path, files: int) -> None:
    for number in range(files):
        (inbox / f"talk {number:06}.mp3").write_bytes(b"sound")
