"""One large file through the daemon, beside the same file put by oss2 in one request without CRC: before and after."""

import json
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.processes import configure, events, peer, run_once, sandbox
from bench.sizes import Sizes

MB = 10**6
BLOCK = 4 * MB


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """MB/s of the upload alone (taken to uploaded, by our log) and of the whole way; CPU of both processes."""
    megabytes = sizes.large_mb
    (folder / "inbox").mkdir()
    (folder / "copies").mkdir()
    _make(folder / "copies" / "film.mp4", megabytes)
    with sandbox(folder) as config:
        config["storage"]["uploads"] = sizes.uploads
        configure(folder, config)
        raw = [peer(folder, "put-one", "copies/film.mp4")]
        (folder / "copies" / "film.mp4").rename(folder / "inbox" / "film.mp4")
        ours = run_once(folder, 1)
        raw.append(peer(folder, "put-one", "done/film.mp4"))
    seconds = [json.loads(line) for line in (folder / "peer").read_text().splitlines()]
    uploading = _uploading(events(folder))
    return [
        {
            "MB": megabytes,
            "upload MB/s": round(megabytes / uploading),
            "raw MB/s, before and after": " ".join(str(round(megabytes / one)) for one in seconds),
            "upload as a share of raw": round(median(seconds) / uploading, 2),
            "whole way s": round(ours.wall, 2),
            "CPU s, all of it": round(ours.cpu, 2),
            "CPU s of raw": round(median(one.cpu for one in raw), 2),
            "peak MB": round(ours.peak_mb, 1),
        }
    ]


def _make(path: Path, megabytes: int) -> None:
    """No block is like another, so nothing on the way can be saved by comparing."""
    with open(path, "wb") as file:
        for number in range(0, megabytes * MB, BLOCK):
            block = (f"{number:015} " * (BLOCK // 16)).encode()
            file.write(block[: min(BLOCK, megabytes * MB - number)])


def _uploading(log: list[dict[str, Any]]) -> float:
    """Seconds from the record that the file was taken, its sum known, to the record that it was uploaded and agreed."""
    when = {line["event"]: datetime.fromisoformat(line["timestamp"]) for line in log}
    return (when["file.uploaded"] - when["file.taken"]).total_seconds()
