"""Many small files through `dropscribe run --once`, beside the bare uploads of the same files by oss2 alone."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from bench.processes import run, sandbox, state_of

BARE_UPLOADS = """
import os, sys, yaml, oss2
from concurrent.futures import ThreadPoolExecutor
config = yaml.safe_load(open("config.yaml"))["storage"]
auth = oss2.AuthV4(config["access_key_id"], config["access_key_secret"])
session = oss2.Session(pool_size=int(sys.argv[1]))
bucket = oss2.Bucket(auth, config["endpoint"], config["bucket"], region=config["region"], session=session,
                     enable_crc=False)
paths = [os.path.join(folder, name) for folder, _, names in os.walk("copies") for name in names]
def put(path):
    with open(path, "rb") as file:
        bucket.put_object("bare/" + os.path.basename(path), file)
with ThreadPoolExecutor(int(sys.argv[1])) as pool:
    list(pool.map(put, paths))
"""


def measure(folder: Path, files: int, size: int, uploads: int) -> dict[str, Any]:
    """Figures of one run; CPU in ms a file, memory in MB, calls as the sandbox counted them."""
    for name in ("inbox", "copies"):
        make_files(folder / name, files, size)
    with sandbox(folder) as config:
        config["storage"]["uploads"] = uploads
        config["inboxes"][0] |= {"settle": "1s"}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        bare = run([sys.executable, "-W", "ignore", "-c", BARE_UPLOADS, str(uploads)], folder)
        before = state_of(config["model_studio"]["endpoint"])
        ours = run([sys.executable, "-m", "dropscribe", "run", "--once"], folder)
        after = state_of(config["model_studio"]["endpoint"])
    calls = {
        name: count["count"] - before["calls"].get(name, {}).get("count", 0) for name, count in after["calls"].items()
    }
    delivered = sum(len(names) for _, _, names in os.walk(folder / "done"))
    return {
        "files": files,
        "bytes a file": size,
        "exit code": ours.code,
        "delivered": delivered,
        "files/s": round(files / ours.wall, 1),
        "bare uploads/s": round(files / bare.wall, 1),
        "files/s as a share of bare": round(bare.wall / ours.wall, 3),
        "CPU ms a file": round(1000 * ours.cpu / files, 2),
        "CPU ms a bare upload": round(1000 * bare.cpu / files, 2),
        "CPU ms beyond the upload": round(1000 * (ours.cpu - bare.cpu) / files, 2),
        "peak MB": round(ours.peak_mb, 1),
        "submits": calls.get("submit"),
        "queries": calls.get("query"),
        "lists": calls.get("list"),
        "429s": sum(count["throttled"] for count in after["calls"].values()),
        "billed": len(after["book"]),
    }


def make_files(folder: Path, files: int, size: int) -> None:
    """Files of different content, in up to a hundred folders."""
    for number in range(files):
        path = folder / f"{number % 100:02}" / f"talk {number:05}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((f"{number:08} " * (size // 9 + 1)).encode()[:size])
