"""The plain loop, one task a file, each waited for in turn, beside ours in the same sandbox.

The loop's pace does not depend on how many files there are, so it is measured on few and compared by files/s. Against
a service that answers at once only the machinery is compared; against one that takes a second, as few real ones do,
mostly that the loop waits.
"""

from pathlib import Path
from typing import Any

from bench.processes import configure, peer, run_once, sandbox
from bench.sizes import Sizes
from bench.small_files import make_files

VARIANTS = (("tasks of 1 s, asked each second", "1", "1"), ("tasks of 0 s, asked each 50 ms", "0", "0.05"))


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """A row a variant of the sandbox."""
    return [_one(folder / seconds, sizes, *variant) for variant in VARIANTS for seconds in (variant[1],)]


def _one(folder: Path, sizes: Sizes, variant: str, task_seconds: str, pause: str) -> dict[str, Any]:
    make_files(folder / "inbox", sizes.loop_ours, sizes.bytes)
    make_files(folder / "copies", sizes.loop_files, sizes.bytes)
    with sandbox(folder, "--task-seconds", task_seconds) as config:
        configure(folder, config)
        loop = peer(folder, "loop", pause, "copies", "texts")
        ours = run_once(folder, sizes.loop_ours)
    a_second = sizes.loop_files / loop.wall
    return {
        "variant": variant,
        "loop files": sizes.loop_files,
        "loop files/s": round(a_second, 2),
        "10,000 files would take the loop": f"{10_000 / a_second / 3600:.1f} h (extrapolated)",
        "our files": sizes.loop_ours,
        "our files/s": round(sizes.loop_ours / ours.wall, 1),
        "times the loop": round(sizes.loop_ours / ours.wall / a_second, 1),
    }
