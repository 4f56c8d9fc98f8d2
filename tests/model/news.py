"""What whoever is told by a webhook was told, against what stands on the disk."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import files_below
from model.ear import Ear
from model.person import Lying
from model.world import World

OPENED = ("scope-opened", "folder-alarm")


def untold(world: World, ear: Ear) -> Iterator[str]:
    """Every delivery and every failure that stands on the disk and that no message speaks of.

    What the ledger had to forget (a lapse, `forget`) need not have been told.
    """
    outputs = {path for item in ear.told("delivered") for path in item["outputs"]}
    moved = {item["moved_to"] for item in ear.told("delivered")}
    reasons = {item["error_file"] for item in ear.told("failed")}
    news = {(lying.inbox, lying.sha256) for lying in world.person.lain if lying.since > world.memory.last_gap}
    old = {(lying.inbox, lying.sha256) for lying in world.person.lain} - news
    for inbox, outbox in world.person.outboxes.items():
        for path in _ours(world, outbox, ".json"):
            source = json.loads(path.read_bytes())["source"]
            if (inbox, source["sha256"]) not in old and str(path) not in outputs:
                yield f"delivered, and not told: {path}"
    for path in _ours(world, world.root / "talks/done", ".mp3", ".wav"):
        if _came(world, path) > world.memory.last_gap and str(path) not in moved:
            yield f"moved to done, and not told: {path}"
    for failed in world.person.faileds.values():
        for path in _ours(world, failed, ".error.json"):
            if not world.memory.last_gap and str(path) not in reasons:
                yield f"failed, and not told: {path}"


def _came(world: World, path: Path) -> float:
    """When the latest file of this content was brought."""
    content = path.read_bytes()
    found: list[Lying] = [lying for lying in world.person.lain if lying.content == content]
    return min((lying.since for lying in found), default=0.0)


def _ours(world: World, folder: Path, *suffixes: str) -> Iterator[Path]:
    for name in files_below(folder):
        path = folder / name
        is_reason = name.endswith(".error.json")
        if name.endswith(suffixes) and path not in world.person.own and is_reason == (suffixes == (".error.json",)):
            yield path


def two_things_under_one_id(ear: Ear) -> Iterator[str]:
    """Receivers tell news apart by their ids."""
    known: dict[str, tuple[str, dict[str, Any]]] = {}
    for event, item in ear.items():
        before = known.setdefault(item["id"], (event, item))
        facts = [(kind, one["at"], one.get("path"), one.get("scope")) for kind, one in (before, (event, item))]
        if facts[0] != facts[1]:
            yield f"{item['id']} is {facts[0]} and {facts[1]}"


def one_thing_under_two_ids(ear: Ear) -> Iterator[str]:
    known: dict[tuple[Any, ...], str] = {}
    for event, item in ear.items():
        if "path" in item:
            fact = (event, item["inbox"], item["path"], item["at"])
            if known.setdefault(fact, item["id"]) != item["id"]:
                yield f"{fact} is {known[fact]} and {item['id']}"


def alarms_without_end(ear: Ear) -> Iterator[str]:
    """Each scope was told to open and to close, by turns, and is closed in the end."""
    told: dict[str, dict[str, bool]] = defaultdict(dict)
    for event, item in ear.items():
        if "scope" in item:
            told[item["scope"]][item["id"]] = event in OPENED
    for scope, turns in told.items():
        expected = [number % 2 == 0 for number in range(len(turns))]
        if list(turns.values()) != expected or len(turns) % 2:
            yield f"{scope}: {['opened' if opened else 'closed' for opened in turns.values()]}"
