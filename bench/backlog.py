"""A large backlog through `dropscribe run --once`: whether memory and pace stay as they begin."""

import subprocess
import time
from pathlib import Path
from typing import Any

from bench.processes import RUN, check_delivered, configure, cpu_of, ended, memory_of, sandbox
from bench.sizes import Sizes
from bench.small_files import make_files

Sample = tuple[float, int, float, float]
"""Seconds since the start, files delivered, CPU seconds, resident MB."""


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """The second half beside the first one, each as it was delivered; memory in MB."""
    files = sizes.backlog
    make_files(folder / "inbox", files, sizes.bytes)
    with sandbox(folder) as config:
        configure(folder, config)
        start = time.monotonic()
        with open(folder / "log", "ab") as log:
            child = subprocess.Popen([*RUN, "--once"], cwd=folder, stdout=log, stderr=log)
        samples = _samples(child.pid, folder / "log", start)
        cost = ended(child, start)
    check_delivered(folder, cost, files)
    return [_row(files, samples, cost.wall, cost.cpu, cost.peak_mb)]


def _samples(pid: int, log: Path, start: float) -> list[Sample]:
    """One a quarter of a second, until the process has ended (and is still to be waited for)."""
    found: list[Sample] = []
    delivered = 0
    with open(log, "rb") as said:
        while (resident := memory_of(pid, "VmRSS")) > 0:
            delivered += said.read().count(b'"file.delivered"')
            found.append((time.monotonic() - start, delivered, cpu_of(pid), resident))
            time.sleep(0.25)
    return found


def _row(files: int, samples: list[Sample], wall: float, cpu: float, peak: float) -> dict[str, Any]:
    begin = max((s for s in samples if s[1] == 0), default=(0.0, 0, 0.0, 0.0))
    middle = next((s for s in samples if s[1] >= files / 2), samples[-1])
    end = (wall, files, cpu, samples[-1][3])
    first, second = _part(begin, middle), _part(middle, end)
    peaks = [max((s[3] for s in samples if (s[0] <= middle[0]) is early), default=peak) for early in (True, False)]
    return {
        "files": files,
        "files/s": round(files / wall, 1),
        "files/s of the first half": round(first[0], 1),
        "files/s of the second half": round(second[0], 1),
        "files/s of the second half / first": round(second[0] / first[0], 2),
        "CPU ms a file, first half": round(first[1], 2),
        "CPU ms a file, second half": round(second[1], 2),
        "CPU of the second half / first": round(second[1] / first[1], 2),
        "peak MB of the first half": round(peaks[0], 1),
        "peak MB of the second half": round(peaks[1], 1),
        "peak MB of the second half / first": round(peaks[1] / peaks[0], 2),
        "peak MB": round(peak, 1),
    }


def _part(begin: Sample, end: Sample) -> tuple[float, float]:
    """Files a second and CPU ms a file."""
    files = max(1, end[1] - begin[1])
    return files / max(0.001, end[0] - begin[0]), 1000 * (end[2] - begin[2]) / files
