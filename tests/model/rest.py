"""The way to quiescence: all that went wrong ends, and the time runs until nothing is open."""

import time
from collections.abc import Iterator
from typing import Any

from dropscribe.ledger import beside
from dropscribe.scan import Candidate
from dropscribe.survey import unexplained
from model.world import STUCK, World

A_TURN = 3 * 3600.0
"""How long one key gets to finish what it began."""
LOOKED_BACK = 25 * 60.0
"""After so long the task list was read once more for everything that was submitted."""
HALF_A_DAY = 13 * 3600.0
DAYS = 8
"""Halves of days in which all that was held goes on, if no single file is longer than the limit."""

OPEN = (
    "SELECT 'file', inbox, path, state, reason FROM media WHERE state IN ('waiting', 'due', 'delivering', 'failing')",
    "SELECT 'recognition', id, state, message FROM recognition"
    " WHERE state IN ('needed', 'uploading', 'uploaded', 'submitting', 'submitted')",
    "SELECT 'batch', id, state, reason FROM batch WHERE state IN ('intended', 'lost', 'submitted')",
    "SELECT 'object', key, doomed FROM stored_object",
    "SELECT 'scope', name, code, message FROM scope",
    "SELECT 'notice', id, event, tries FROM notice",
)
HELD = "SELECT id FROM reservation WHERE state = 'held' AND seconds <= (SELECT min(seconds) FROM allowance)"
"""What waits for another day."""


def comes_to_rest(world: World) -> None:
    """All faults end, folders return, every key gets its turn, and the time runs until nothing is open."""
    world.calms()
    world.ends_all()
    world.start()
    world.reloads("as at first")
    if world.limited:
        _awaits_another_day(world)
        world.limits(lifted=True)
        world.reloads("as at first")
    turns = [world.key, *(key for key in world.keys if key != world.key)] * 2
    for number, key in enumerate(turns):
        if number:
            world.stop()
            world.uses(key)
            world.start()
        if _rests_within(world, A_TURN):
            break
    assert (found := open_things(world)) == [], f"still open at the end: {found}; {world.tail()}"
    world.passes(LOOKED_BACK, jumps=5)
    world.calms()
    assert (found := open_things(world)) == [], f"open again: {found}; {world.tail()}"


def _awaits_another_day(world: World) -> None:
    """What fits into a fresh day goes on by itself."""
    for _ in range(DAYS):
        _rests_within(world, 1800.0)
        if not world.ledger(HELD):
            return
        world.passes(HALF_A_DAY)
        world.calms()
    assert not world.ledger(HELD), f"held though a new day had begun: {open_things(world)}; {world.tail()}"


def _rests_within(world: World, seconds: float) -> bool:
    end, stuck = world.now() + seconds, time.monotonic() + STUCK
    while world.now() < end:
        assert time.monotonic() < stuck, f"it does not come to rest; {world.tail()}"
        if world.is_still():
            if not open_things(world):
                return True
            world.jumps(max(5.0, world.until_next()))
    return False


def open_things(world: World) -> list[Any]:
    """What is not finished, in the ledger, in the inboxes or in the cloud."""
    found: list[Any] = []
    for question in OPEN:
        found += world.ledger(question)
    if not found:
        found += [str(entry.path) for entry in _untaken(world)]
    return found


def _untaken(world: World) -> Iterator[Candidate]:
    """Files in the inboxes that no row of the ledger explains."""
    settings, skip = world.settings, [world.lab.state]
    with beside.reading(settings.state) as connection:
        for inbox in settings.inboxes:
            for entry in unexplained(inbox, skip, connection):
                if isinstance(entry, Candidate):
                    yield entry
