"""A day of a daemon's life at a hundred times its speed, with faults of every kind all day: whether memory, threads,
descriptors and the ledger stay as they are, and whether the books balance at its end.
"""

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.processes import memory_of
from bench.sizes import Sizes
from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox

HOUR = 3600.0
SEED = 20261125
FAULT_EVERY = 600.0
"""Seconds of the simulated day from the end of one fault to the next, about."""
RELOAD_EVERY = 4 * HOUR
LONGEST_FAULT = 900.0
COUNTED = ("threads", "descriptors")
"""Of these the most of a quarter counts, since they come and go; of the others the median."""
FAULTS: list[dict[str, Any]] = [
    *({"call": "*", "does": does} for does in ("drop", "lost", "truncate", "not_json")),
    *({"call": "*", "does": "error", "status": status} for status in (429, 500, 503)),
    *({"call": call, "does": "error", "status": 403, "code": "AccessDenied"} for call in ("put", "result", "download")),
    {"call": "submit", "does": "error", "status": 401, "code": "InvalidApiKey"},
    {"call": "submit", "does": "error", "status": 400, "code": "Arrearage"},
    {"call": "submit", "does": "one_url"},
    {"call": "submit", "does": "twice", "times": 1},
    {"call": "query", "does": "unknown"},
    {"call": "query", "does": "missing"},
    {"call": "query", "does": "foreign"},
    {"call": "query", "does": "unwrapped"},
    {"call": "list", "does": "lag", "seconds": 300.0},
    {"call": "result", "does": "expired"},
    {"call": "subtask", "does": "fail", "code": "InternalError.Timeout"},
    {"call": "delete_many", "does": "drop"},
]
QUICKER: dict[str, Any] = {"model_studio": {"lost_submit_grace": "10m"}, "keep_results": "2h"}


@dataclass
class Day:
    """What one simulated day has seen so far."""

    root: Path
    cloud: RunningSandbox
    child: "subprocess.Popen[bytes]"
    began: float
    speed: float
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    contents: dict[str, str] = field(default_factory=dict)
    """The sha256 of each file that was dropped, by its path."""
    faults: int = 0
    reloads: int = 0
    samples: list[dict[str, float]] = field(default_factory=list)

    @property
    def hours(self) -> float:
        return (time.monotonic() - self.began) * self.speed / HOUR


def measure(folder: Path, sizes: Sizes) -> list[dict[str, Any]]:
    """A row of the first quarter of the day, one of its last, and one of the books."""
    with _living(folder, sizes.soak_speed) as day:
        _pass(day, float(sizes.soak_hours), sizes.soak_files)
        day.cloud.clear_faults()
        _until_all_is_explained(day)
        day.child.send_signal(signal.SIGTERM)
        code = day.child.wait(30)
        return [*_phases(day.samples), _books(day, code)]


@contextlib.contextmanager
def _living(folder: Path, speed: int) -> Iterator[Day]:
    settings = SandboxSettings(pending_seconds=2.0, task_seconds=60.0, enforce_rates=False, signed_by_real_time=True)
    with running_sandbox(settings) as cloud:
        epoch = float(cloud.state()["now"])
        cloud.change(speed=float(speed))
        began = time.monotonic()
        config = folder / "config.yaml"
        (folder / "inbox").mkdir()
        config.write_text(yaml.safe_dump(_configuration(cloud)))
        command = [sys.executable, "-m", "bench.soaked", str(config), str(speed), str(began), str(epoch)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])}
        with open(folder / "log", "wb") as log:
            child = subprocess.Popen(command, cwd=folder, stderr=log, env=environment)
        try:
            yield Day(folder, cloud, child, began, float(speed))
        finally:
            child.kill()
            child.wait()


def _configuration(cloud: RunningSandbox) -> dict[str, Any]:
    settings = cloud.settings
    storage = {
        "bucket": settings.bucket,
        "region": settings.region,
        "endpoint": cloud.url,
        "public_endpoint": cloud.url,
        "access_key_id": settings.access_key_id,
        "access_key_secret": settings.access_key_secret,
    }
    studio = {"endpoint": cloud.url, "api_key": settings.api_key, **QUICKER["model_studio"]}
    inboxes = [{"name": "day", "inbox": "inbox", "settle": "30s"}]
    return {"model_studio": studio, "storage": storage, "inboxes": inboxes, "keep_results": QUICKER["keep_results"]}


def _pass(day: Day, hours: float, files: int) -> None:
    """Files come all day, faults come and go, and whoever waits for the transcripts takes them away each hour."""
    next_file = next_fault = next_sample = 0.0
    next_reload = RELOAD_EVERY / HOUR
    while (now := day.hours) < hours and day.child.poll() is None:
        if now >= next_file:
            _drop(day)
            next_file += day.chance.expovariate(files / hours)
        if now >= next_fault:
            _break_something(day)
            next_fault = now + day.chance.expovariate(HOUR / FAULT_EVERY)
        if now >= next_reload:
            day.child.send_signal(signal.SIGHUP)
            day.reloads += 1
            next_reload += RELOAD_EVERY / HOUR
        if now >= next_sample:
            day.samples.append({"hour": now, **_sample(day)})
            _take_home(day)
            next_sample += 0.25
        time.sleep(0.02)


def _drop(day: Day) -> None:
    path = f"{len(day.contents) % 9}/talk {len(day.contents)}.mp3"
    content = b"sound %d " % (len(day.contents) - day.chance.choice([0] * 19 + [1])) * day.chance.randint(1, 5000)
    target = day.root / "inbox" / path
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    day.contents[path] = hashlib.sha256(content).hexdigest()


def _break_something(day: Day) -> None:
    fault = {"times": None, "for_seconds": day.chance.uniform(10.0, LONGEST_FAULT), **day.chance.choice(FAULTS)}
    day.cloud.inject(fault.pop("call"), fault.pop("does"), **fault)
    day.faults += 1


def _take_home(day: Day) -> None:
    """Outputs and sources of more than an hour ago are somebody else's business now."""
    for name in ("outbox", "done"):
        for path in sorted((day.root / name).rglob("*")):
            if path.is_file() and path.stat().st_mtime < time.time() - HOUR / day.speed:
                kept = day.root / "home" / name / path.relative_to(day.root / name)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, kept)


def _sample(day: Day) -> dict[str, float]:
    process = Path(f"/proc/{day.child.pid}")
    with contextlib.suppress(OSError):
        state = day.root / "state"
        return {
            "MB": memory_of(day.child.pid, "VmRSS"),
            "threads": len(os.listdir(process / "task")),
            "descriptors": len(os.listdir(process / "fd")),
            "ledger KB": sum(path.stat().st_size for path in state.glob("ledger.sqlite*")) / 1024,
            "files so far": len(day.contents),
        }
    return {}


def _until_all_is_explained(day: Day, patience: float = 6.0) -> None:
    end = day.hours + patience
    while day.hours < end and day.child.poll() is None:
        if not [path for path in (day.root / "inbox").rglob("*") if path.is_file()] and not _objects(day):
            return
        time.sleep(0.5)


def _objects(day: Day) -> int:
    state = day.cloud.state()
    return len(state["objects"]) + len(state["uploads"])


def _phases(samples: list[dict[str, float]]) -> list[dict[str, Any]]:
    """The second and the last quarter of the day: the first quarter is the start."""
    quarter = max(1, len(samples) // 4)
    early, late = (
        {figure: (max if figure in COUNTED else _median)([one[figure] for one in part]) for figure in part[0]}
        for part in (samples[quarter : 2 * quarter] or samples, samples[-quarter:])
    )
    growth = {
        f"{figure} / of the second quarter": round(late[figure] / (early[figure] or 1), 2)
        for figure in ("MB", *COUNTED)
    }
    return [
        {"variant": "second quarter", **{figure: round(value, 1) for figure, value in early.items()}},
        {"variant": "last quarter", **{figure: round(value, 1) for figure, value in late.items()}, **growth},
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _unexplained(day: Day, billed: Mapping[str, int], log: list[dict[str, Any]]) -> list[str]:
    """Contents that were paid beyond the first time and each time that the log says why it is bought again; none where
    they are no more than the files of tasks that the log calls paid twice or dropped by the service.
    """
    reasons = Counter(day.contents[line["path"]] for line in log if line["event"] == "file.again")
    sizes = {
        line["batch"]: int(line["files"]) for line in log if line["event"] in ("batch.submitted", "batch.answer-lost")
    }
    whole = sum(sizes.get(line["batch"], 0) for line in log if line["event"] in ("batch.paid-twice", "task.dropped"))
    beyond = {content: times - 1 - reasons[content] for content, times in billed.items()}
    unexplained = [content for content, times in beyond.items() if times > 0]
    return unexplained if len(unexplained) > whole else []


def _books(day: Day, code: int) -> dict[str, Any]:
    state = day.cloud.state()
    billed = Counter(entry["sha256"] for entry in state["book"])
    log = [json.loads(line) for line in (day.root / "log").read_text().splitlines() if line.startswith("{")]
    told = Counter(line["event"] for line in log)
    failed = [path for path in (day.root / "failed").rglob("*") if path.is_file() and path.suffix != ".json"]
    delivered = [p for base in ("home/done", "done") for p in (day.root / base).rglob("*") if p.is_file()]
    return {
        "variant": "books",
        "exit code": code,
        "files": len(day.contents),
        "delivered": len(delivered),
        "failed, each with its reason": len(failed),
        "neither": len(day.contents) - len(delivered) - len(failed),
        "contents billed": len(billed),
        "billed more than once": sum(1 for times in billed.values() if times > 1),
        "billed more often than the log explains": len(_unexplained(day, billed, log)),
        "batches that the log calls paid twice": told["batch.paid-twice"],
        "faults": day.faults,
        "reloads": day.reloads,
        "calls": sum(call["count"] for call in state["calls"].values()),
        "left in the bucket": _objects(day),
        "unexpected errors": told["bug"] + told["daemon.crashed"],
    }
