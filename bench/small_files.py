"""Many small files through `dropscribe run --once`, beside the bare uploads of the same files by oss2 alone."""

from pathlib import Path
from typing import Any

from bench.processes import configure, peer, run_once, sandbox, state_of
from bench.sizes import Sizes


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """Figures of one run; CPU in ms a file, memory in MB, calls as the sandbox counted them."""
    files = sizes.files
    for name in ("inbox", "copies"):
        make_files(folder / name, files, sizes.bytes)
    with sandbox(folder) as config:
        config["storage"]["uploads"] = sizes.uploads
        configure(folder, config)
        bare = peer(folder, "put", sizes.uploads, "copies")
        before = state_of(config)
        ours = run_once(folder, files)
        after = state_of(config)
    calls = {
        name: count["count"] - before["calls"].get(name, {}).get("count", 0) for name, count in after["calls"].items()
    }
    row = {
        "files": files,
        "bytes a file": sizes.bytes,
        "files/s": round(files / ours.wall, 1),
        "bare uploads/s": round(files / bare.wall, 1),
        "files/s as a share of bare": round(bare.wall / ours.wall, 3),
        "CPU ms a file": round(1000 * ours.cpu / files, 2),
        "CPU ms a bare upload": round(1000 * bare.cpu / files, 2),
        "CPU ms beyond the upload": round(1000 * (ours.cpu - bare.cpu) / files, 2),
        "peak MB": round(ours.peak_mb, 1),
        "submits": calls.get("submit", 0),
        "queries": calls.get("query", 0),
        "lists": calls.get("list", 0),
        "429s": sum(count["throttled"] for count in after["calls"].values()),
        "billed": len(after["book"]),
    }
    return [row | {f"{name} for 10,000 files": round(10_000 * row[name] / files) for name in ("submits", "queries")}]


def make_files(folder: Path, files: int, size: int) -> None:
    """Files of different content, in up to a hundred folders."""
    for number in range(files):
        path = folder / f"{number % 100:02}" / f"talk {number:05}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((f"{number:08} " * (size // 9 + 1)).encode()[:size])
