"""A large backlog through `dropscribe run --once`, beside one of a quarter of its size in the same run: whether memory
and the cost of a file stay the same.
"""

from pathlib import Path
from typing import Any

from bench.processes import configure, run_once, sandbox
from bench.sizes import Sizes
from bench.small_files import make_files


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """A row a backlog; CPU in ms a file, memory in MB."""
    costs = {}
    for files in (sizes.backlog // 4, sizes.backlog):
        here = folder / str(files)
        make_files(here / "inbox", files, sizes.bytes)
        with sandbox(here) as config:
            configure(here, config)
            costs[files] = run_once(here, files)
    rows: list[dict[str, Any]] = [
        {
            "variant": f"{files} files",
            "files/s": round(files / cost.wall, 1),
            "CPU ms a file": round(1000 * cost.cpu / files, 2),
            "peak MB": round(cost.peak_mb, 1),
        }
        for files, cost in costs.items()
    ]
    for figure in ("files/s", "CPU ms a file", "peak MB"):
        rows[1][f"{figure} / of a quarter"] = round(rows[1][figure] / rows[0][figure], 2)
    return rows
