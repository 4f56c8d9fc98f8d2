"""The bill, line by line, and what may be on it: payments, what the ledger says of them, and what a day may cost."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from model.steps import KEYS
from model.weather import WEATHER
from model.world import A_DAY, World

A_SECOND = {"mp3": 8_000, "wav": 16_000}
"""Bytes of a file that is no sound, which are taken for a second; docs/limits.md calls it a guess."""

VERDICT = """
    SELECT verdict FROM batch_item JOIN batch ON batch.id = batch_id
    WHERE object_key = ? AND (batch.task_id = ? OR batch.state = 'dropped')
"""
"""Of a submit without an answer that nobody can settle any more, the ledger never learns the task."""

Recognition = tuple[str, str, str]


@dataclass(frozen=True)
class Payment:
    """One line of the bill, and what the ledger says of it: a verdict, or that it is told as paid twice.

    `forgotten`: the ledger cannot know of it any more. `submitted_at`, `billed_at`: seconds since the epoch.
    """

    recognition: Recognition
    verdict: str | None
    told_twice: bool
    forgotten: bool
    key: str
    submitted_at: float
    billed_at: float
    seconds: float

    @property
    def content(self) -> str:
        return self.recognition[0]


def payments(world: World) -> Iterator[Payment]:
    told = {
        task
        for (tasks,) in world.ledger("SELECT paid_twice FROM batch WHERE paid_twice IS NOT NULL")
        for task in json.loads(tasks)
    }
    for entry in world.cloud.state()["book"]:
        task, key = entry["task_id"], entry["file"].partition("/sandbox/")[2]
        asked = world.tasks.get(task, {"parameters": None, "created": entry["time"]})
        verdicts = world.ledger(VERDICT, key, task)
        settings = json.dumps(asked["parameters"] or {}, sort_keys=True)
        yield Payment(
            recognition=(entry["sha256"], entry["model"], settings),
            verdict=verdicts[0][0] if verdicts else None,
            told_twice=task in told,
            forgotten=_is_forgotten(world, entry["sha256"], key, asked["created"]),
            key=key,
            submitted_at=asked["created"],
            billed_at=entry["time"],
            seconds=entry["seconds"],
        )


def _is_forgotten(world: World, content: str, key: str, submitted_at: float) -> bool:
    lapsed = any(lapse.hides(submitted_at, key) for lapse in world.memory.lapses)
    return lapsed or any(what == content and submitted_at <= at for at, what in world.memory.forgotten)


def allowed(world: World, bill: list[Payment], recognition: Recognition) -> int:
    """How often a recognition may have been paid, at most: once, and once for each thing that can excuse another."""
    hidden = sum(payment.forgotten for payment in bill if payment.recognition == recognition)
    elsewhere = len(world.memory.lapses) if KEYS[2] in world.keys else 0
    weather = sum(WEATHER[name].costs for name in world.weather)
    return 1 + weather + world.person.retries + 2 * world.days_down + hidden + elsewhere


def bought_in_vain(world: World) -> Iterator[Payment]:
    """Payments after a lapse for a content that did not lie in an inbox any more, or beside its own transcript."""
    for lapse in world.memory.lapses:
        if any(at >= lapse.at for at in world.person.meddled_at):
            continue  # a transcript may have gone before it could be read
        since = {lying.sha256 for lying in world.person.lain if lying.since >= lapse.at}
        for payment in payments(world):
            if payment.submitted_at > lapse.at and payment.content not in lapse.lay | since:
                yield payment


def days_beyond_their_limit(world: World) -> Iterator[str]:
    """Days that cost more than they may, until the limit was lifted. Where a file is billed for more than its size
    tells, that much is nobody's fault; nor is what was paid twice without anybody's will.
    """
    days, beyond_guess = Counter[str](), Counter[str]()
    sizes = {lying.sha256: len(lying.content) for lying in world.person.lain}
    for payment in payments(world):
        if payment.billed_at < world.lifted_at and not payment.told_twice:
            day = datetime.fromtimestamp(payment.billed_at).date().isoformat()
            guess = sizes.get(payment.content, 0) / A_SECOND[payment.key.rpartition(".")[2]]
            days[day] += round(payment.seconds * 1000)
            beyond_guess[day] += round(max(0.0, payment.seconds - guess) * 1000)
    for day, cost in days.items():
        if cost > A_DAY * 1000 + beyond_guess[day]:
            yield f"{day} cost {cost / 1000} s of {A_DAY} s"
