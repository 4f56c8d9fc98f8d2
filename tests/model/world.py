"""Folders, a cloud, a daemon and a person, and the time in which a plan happens."""

import contextlib
import json
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropscribe.config import load
from dropscribe.ledger import beside
from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox
from dropscribe.scan import Candidate
from dropscribe.survey import unexplained
from lab import Lab
from model.child import BEGAN, DUE, NEVER, PAGE, PASSED, PAUSE, SENDING, Child, Page, nothing_goes_on
from model.person import Person
from model.steps import KEYS, Step
from model.weather import WEATHER
from troubles.table import leave_strangers

FAST_DISK = Path("/dev/shm")
"""Every example syncs hundreds of times; what a sync is for, a death of the process does not tell."""
SETTLE = {"talks": 5.0, "library": 40.0, "notes": 5.0}
"""The library's is longer than it takes to submit: what was taken too early would be paid."""
STUCK = 300.0
"""Real seconds in which a step, or the way to quiescence, has to end."""
LONGEST_JUMP = 300.0
A_WHILE = 1000.0
"""Seconds; longer times pass in large steps, as for a machine that is suspended now and then."""
A_TURN = 3 * 3600.0
"""How long one key gets to finish what it began."""
LOOKED_BACK = 25 * 60.0
"""After so long the task list was read once more for everything that was submitted."""
INBOXES: dict[str, dict[str, Any]] = {
    "talks": {"inbox": "talks/inbox", "recognition": {"language_hints": ["zh"]}},
    "library": {
        "inbox": "library",
        "outbox": "library",
        "done": "keep",
        "failed": "library-failed",
        "recognition": {"language_hints": ["zh"]},
        "watch": "polling",
        "settle": "40s",
    },
    "notes": {"inbox": "notes/inbox", "done": "delete", "recognition": {"language_hints": ["en"]}, "watch": "polling"},
}
"""Talks are moved and the library is kept, and both share recognitions; notes are deleted, and have their own."""


@dataclass
class World:
    """Everything a plan acts on. Times are seconds of the moved clock."""

    root: Path
    cloud: RunningSandbox
    lab: Lab
    person: Person = field(init=False)
    inboxes: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(INBOXES))
    key: str = KEYS[0]
    keys: list[str] = field(default_factory=lambda: [KEYS[0]])
    weather: list[str] = field(default_factory=list)
    days_down: int = 0
    """How often more than twenty hours passed at once: results and task lists may have expired."""
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of every task that was seen: the service forgets them."""
    recipes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Every `recognition` that an inbox ever had."""
    child: Child | None = None
    exit_codes: list[int] = field(default_factory=list)
    _then: Step | None = None
    _struck: bool = False

    def __post_init__(self) -> None:
        page = self.root / "page"
        page.write_bytes(bytes(PAGE))
        self._page_file, self._page = page, Page(page)
        self._page.put(BEGAN, time.time())
        self.log_file = self.root / "daemon.log"
        aside = self.root / "aside"
        aside.mkdir()
        folders = {name: self.root / inbox["inbox"] for name, inbox in INBOXES.items()}
        outboxes = {name: self.root / inbox.get("outbox", f"{name}/outbox") for name, inbox in INBOXES.items()}
        faileds = {name: self.root / inbox.get("failed", f"{name}/failed") for name, inbox in INBOXES.items()}
        self.person = Person(self.root, folders, outboxes, faileds, aside, self.now)
        self._configure()
        leave_strangers(self.lab)
        self.start()

    # The time.

    def now(self) -> float:
        return self._page.get(BEGAN) + self._page.get(PASSED)

    def passes(self, seconds: float) -> None:
        """Let so much time pass, jumping from wake to wake; in long times over some of them."""
        self.days_down += seconds > 20 * 3600
        least = seconds / 15 if seconds > A_WHILE else min(seconds / 15, 15.0)
        end, stuck = self.now() + seconds, time.monotonic() + STUCK
        while (left := end - self.now()) > 1e-4:
            assert time.monotonic() < stuck, f"the time does not pass; {self.tail()}"
            if self._is_still():
                self._jump(min(left, max(self._until_next(), least)))

    def calms(self) -> None:
        """Nothing goes on any more without time passing."""
        stuck = time.monotonic() + STUCK
        while not self._is_still():
            assert time.monotonic() < stuck, f"it does not become calm; {self.tail()}"

    def _is_still(self) -> bool:
        """Whether nothing goes on; notices a death, and acts where the daemon was frozen."""
        child = self.child
        if child is None:
            return True
        if child.exit_code is not None:
            self._has_died(child.exit_code)
            return False
        if child.is_frozen:
            then, self._then = self._then, None
            if then is not None:
                then.act(self)
            child.thaw()
            return False
        if not child.is_ready:
            time.sleep(PAUSE)
            return False
        return nothing_goes_on(child.pid)

    def _until_next(self) -> float:
        here = self._page.get(DUE) - self._page.get(PASSED)
        there = self.cloud.sandbox.until_next
        soon = min(here if self.child else NEVER, NEVER if there is None else there + 0.001, LONGEST_JUMP)
        return max(0.005, min(soon, 1.0) if self.child and self._page.get(SENDING) > 0 else soon)

    def _jump(self, seconds: float) -> None:
        self._page.put(PASSED, self._page.get(PASSED) + seconds)
        self.cloud.advance(seconds)
        if self.child is not None:
            self.child.signal(signal.SIGUSR1)

    # The daemon.

    def start(self) -> None:
        if self.child is None:
            self.child = Child(self.lab.config, self.log_file, self._page_file, self._page)

    def kill(self) -> None:
        if self.child is not None:
            self.child.signal(signal.SIGKILL)
            self.child.ended(10.0)
            self.child = None

    def stop(self) -> None:
        """SIGTERM; it has 10 s of its own, and a frozen or armed one is let go first."""
        self._page.armed = ""
        child, stuck = self.child, time.monotonic() + STUCK
        while child is not None and child.exit_code is None:
            assert time.monotonic() < stuck, f"it does not stop; {self.tail()}"
            if child.is_frozen:
                self._is_still()
            if child.is_ready:
                child.signal(signal.SIGTERM)
                if child.ended(12.0) is None:
                    continue
            time.sleep(PAUSE)
        if child is not None:
            self.exit_codes.append(child.exit_code or 0)
        self.child = None

    def arm(self, how: str, boundary: str, then: Step | None = None) -> None:
        if self.child is not None:
            self._page.armed, self._then, self._struck = f"{how} {boundary}", then, how == "kill"

    def _has_died(self, code: int) -> None:
        assert self._struck and code == -signal.SIGKILL, f"the daemon ended by itself with {code}; {self.tail()}"
        self._struck, self.child = False, None
        then, self._then = self._then, None
        if then is not None:
            then.act(self)
        self.start()

    def uses(self, key: str) -> None:
        if key:
            self.key = key
            self.keys += [key] if key not in self.keys else []
            self._configure()

    def reloads(self, change: str) -> None:
        talks, rest = INBOXES["talks"], {name: INBOXES[name] for name in ("library", "notes")}
        match change:
            case "talks in English":
                self.inboxes = {"talks": talks | {"recognition": {"language_hints": ["en"]}}, **rest}
            case "talks with vtt":
                self.inboxes = {"talks": talks | {"outputs": ["json", "srt", "vtt"]}, **rest}
            case "talks are kept":
                self.inboxes = {"talks": talks | {"done": "keep"}, **rest}
            case "without notes":
                self.inboxes = {name: INBOXES[name] for name in ("talks", "library")}
            case _:
                self.inboxes = dict(INBOXES)
        self._configure()
        if self.child is not None:
            self.calms()
            self.child.signal(signal.SIGHUP)

    def _configure(self) -> None:
        named = [{"name": name, **inbox} for name, inbox in self.inboxes.items()]
        self.lab.configure(inboxes=named, model_studio={"api_key": self.key})
        self.settings = load(self.lab.config, {})
        for name, inbox in self.inboxes.items():
            known = self.recipes.setdefault(name, [])
            known += [inbox["recognition"]] if inbox["recognition"] not in known else []

    # The cloud.

    def has(self, weather: str) -> None:
        self.weather.append(weather)
        for fault in WEATHER[weather].faults:
            self.cloud.inject(**fault)

    def remembers_tasks(self) -> None:
        for task in self.cloud.state()["tasks"]:
            self.parameters[task["task_id"]] = task["parameters"] or {}

    # Quiescence.

    def comes_to_rest(self) -> None:
        """All faults end, folders return, every key gets its turn, and the time runs until nothing is open."""
        self.calms()
        self.cloud.clear_faults()
        self._page.armed, self._then, self._struck = "", None, False
        self.person.ends_all()
        self.start()
        self.reloads("as at first")
        turns = [self.key, *(key for key in self.keys if key != self.key)] * 2
        for number, key in enumerate(turns):
            if number:
                self.stop()
                self.uses(key)
                self.start()
            if self._rests_within(A_TURN):
                break
        assert (open_things := self.open_things()) == [], f"still open at the end: {open_things}; {self.tail()}"
        self.passes(LOOKED_BACK)
        self.calms()
        assert (open_things := self.open_things()) == [], f"open again: {open_things}; {self.tail()}"

    def _rests_within(self, seconds: float) -> bool:
        end, stuck = self.now() + seconds, time.monotonic() + STUCK
        while self.now() < end:
            assert time.monotonic() < stuck, f"it does not come to rest; {self.tail()}"
            if self._is_still():
                if not self.open_things():
                    return True
                self._jump(max(5.0, self._until_next()))
        return False

    def open_things(self) -> list[Any]:
        """What is not finished, in the ledger, in the inboxes or in the cloud."""
        found: list[Any] = []
        for question in OPEN:
            found += self.ledger(question)
        if not found:
            found += [str(entry.path) for entry in self.untaken()]
        return found

    def untaken(self) -> Iterator[Candidate]:
        """Files in the inboxes that no row of the ledger explains."""
        settings, skip = self.settings, [self.lab.state]
        with beside.reading(settings.state) as connection:
            for inbox in settings.inboxes:
                for entry in unexplained(inbox, skip, connection):
                    if isinstance(entry, Candidate):
                        yield entry

    def ledger(self, question: str, *values: Any) -> list[Any]:
        """A look into the ledger beside the daemon; one that is not there yet is empty."""
        with contextlib.suppress(sqlite3.OperationalError):
            connection = sqlite3.connect(f"file:{self.lab.state}/ledger.sqlite?mode=ro", uri=True)
            with contextlib.closing(connection):
                return connection.execute(question, values).fetchall()
        return [("no ledger",)] if "COUNT" in question else []

    def log(self) -> list[dict[str, Any]]:
        """Every line of every life of the daemon; the last line of a life may be torn."""
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def tail(self) -> str:
        lines = [json.dumps(line) for line in self.log()[-14:]]
        return "the log ends with\n    " + "\n    ".join(lines)


OPEN = (
    "SELECT 'file', inbox, path, state, reason FROM media WHERE state IN ('waiting', 'due', 'delivering', 'failing')",
    "SELECT 'recognition', id, state, message FROM recognition"
    " WHERE state IN ('needed', 'uploading', 'uploaded', 'submitting', 'submitted')",
    "SELECT 'batch', id, state, reason FROM batch WHERE state IN ('intended', 'lost', 'submitted')",
    "SELECT 'object', key, doomed FROM stored_object",
    "SELECT 'scope', name, code, message FROM scope",
)


@contextmanager
def new_world() -> Iterator[World]:
    """An empty one; nothing of it is left."""
    services = SandboxSettings(
        enforce_rates=False,
        signed_by_real_time=True,
        speed=1e-9,
        other_accounts={KEYS[1]: "sandbox", KEYS[2]: "another"},
    )
    where = FAST_DISK if FAST_DISK.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="dropscribe-model-", dir=where) as folder,
        running_sandbox(services) as cloud,
    ):
        lab = Lab(Path(folder), cloud, quick=False)
        world = World(Path(folder), cloud, lab)
        try:
            yield world
        finally:
            world.kill()
