"""Folders, a cloud, a daemon and a person, and the time in which a plan happens."""

import contextlib
import json
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropscribe.config import load
from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox
from lab import Lab, files_below
from model.child import BEGAN, DUE, NEVER, PAGE, PASSED, PAUSE, SENDING, Child, Page, nothing_goes_on
from model.disks import Disks
from model.ear import Ear, listening
from model.memory import Memory
from model.parts import Parts, counted_parts
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
HELD_BY_ANOTHER = 75
A_WHILE = 1000.0
"""Seconds; longer times pass in large steps, as for a machine that is suspended now and then."""
A_DAY = 70.0
"""Seconds of sound that a day may cost where it is limited: a speech at a time, and three of them."""
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
    parts: Parts
    stack: ExitStack
    person: Person = field(init=False)
    disks: Disks = field(init=False)
    memory: Memory = field(init=False)
    ear: Ear | None = None
    limited: bool = False
    lifted_at: float = float("inf")
    has_begun: bool = False
    inboxes: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(INBOXES))
    key: str = KEYS[0]
    keys: list[str] = field(default_factory=lambda: [KEYS[0]])
    weather: list[str] = field(default_factory=list)
    days_down: int = 0
    """How often more than twenty hours passed at once: results and task lists may have expired."""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Every task that was seen: the service forgets them."""
    removed: dict[tuple[int, float], str] = field(default_factory=dict)
    """The contents that `done: delete` removed, by row and moment of taking: the ledger may forget them."""
    recipes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Every `recognition` that an inbox ever had."""
    child: Child | None = None
    exit_codes: list[int] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    """The boundaries at which it was killed."""
    sections: dict[str, Any] = field(default_factory=dict)
    """Of the configuration, as this plan wants them."""
    _then: Step | None = None
    _struck: str = ""

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
        self.disks = Disks(self.root.parent / "disks", self.person.absent)
        self.stack.callback(self.disks.end)
        self.memory = Memory(self)
        self._configure()
        leave_strangers(self.lab)

    # The beginning.

    def begins(self) -> None:
        """The daemon is started for the first time."""
        if not self.has_begun:
            self.has_begun = True
            self.start()

    def tells(self) -> None:
        if self.ear is None:
            self.ear = self.stack.enter_context(listening(self.now))
            self.sections["notify"] = {"webhook": {"url": self.ear.receiver.url, "secret": "the-secret-of-the-webhook"}}
            self._configure()

    def limits(self, lifted: bool = False) -> None:
        self.limited = True
        self.lifted_at = self.now() if lifted else self.lifted_at
        self.sections["limits"] = {"hours_per_day": None if lifted else A_DAY / 3600}
        self._configure()

    # The time.

    def now(self) -> float:
        return self._page.get(BEGAN) + self._page.get(PASSED)

    def passes(self, seconds: float, jumps: int = 15) -> None:
        """Let so much time pass, jumping from wake to wake; in long times over some of them, in so many jumps."""
        self.days_down += seconds > 20 * 3600
        least = seconds / jumps if seconds > A_WHILE else min(seconds / jumps, 15.0)
        end, stuck = self.now() + seconds, time.monotonic() + STUCK
        while (left := end - self.now()) > 1e-4:
            assert time.monotonic() < stuck, f"the time does not pass; {self.tail()}"
            if self.is_still():
                self.jumps(min(left, max(self.until_next(), least)))

    def calms(self) -> None:
        """Nothing goes on any more without time passing."""
        stuck = time.monotonic() + STUCK
        while not self.is_still():
            assert time.monotonic() < stuck, f"it does not become calm; {self.tail()}"

    def is_still(self) -> bool:
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

    def until_next(self) -> float:
        here = self._page.get(DUE) - self._page.get(PASSED)
        there = self.cloud.sandbox.until_next
        soon = min(here if self.child else NEVER, NEVER if there is None else there + 0.001, LONGEST_JUMP)
        return max(0.005, min(soon, 1.0) if self.child and self._page.get(SENDING) > 0 else soon)

    def jumps(self, seconds: float) -> None:
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
                self.is_still()
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
            self._page.armed, self._then = f"{how} {boundary}", then
            self._struck = boundary if how == "kill" else ""

    def _has_died(self, code: int) -> None:
        assert self._struck and code == -signal.SIGKILL, f"the daemon ended by itself with {code}; {self.tail()}"
        self.deaths.append(self._struck)
        self._struck, self.child = "", None
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
        self.lab.configure(
            inboxes=named, model_studio={"api_key": self.key}, storage={"multipart_above": "5MB"}, **self.sections
        )
        self.settings = load(self.lab.config, {})
        for name, inbox in self.inboxes.items():
            known = self.recipes.setdefault(name, [])
            known += [inbox["recognition"]] if inbox["recognition"] not in known else []

    # The cloud.

    def has(self, weather: str) -> None:
        self.weather.append(weather)
        for fault in WEATHER[weather].faults:
            self.cloud.inject(**fault)

    def remembers(self) -> None:
        """What service and ledger will forget."""
        for task in self.cloud.state()["tasks"]:
            self.tasks[task["task_id"]] = task
        for number, taken_at, content in self.ledger(REMOVED):
            self.removed[number, taken_at] = content

    # Commands.

    def tries_again(self, file: str) -> None:
        """`dropscribe retry`."""
        before = {inbox: files_below(folder) for inbox, folder in self.person.inboxes.items()}
        reasons = self._reasons()
        called = self.lab.call("retry", str(self.root / file) if file else "--all")
        assert called.returncode in (0, 1), f"retry ended with {called.returncode}: {called.stderr}"
        assert called.returncode == 0 or called.stderr.strip(), "retry did not say what is not well"
        self.person.saw_come_back(before, len(reasons - self._reasons()))

    def _reasons(self) -> set[Path]:
        return {path for failed in self.person.faileds.values() for path in failed.rglob("*.error.json")}

    def forgets(self, file: str) -> None:
        """`dropscribe forget`: what it removes is not known any more, and beside a daemon it removes nothing."""
        self.remembers()
        before = self._contents_known()
        called = self.lab.call("forget", str(self.root / file))
        expected = (HELD_BY_ANOTHER,) if self.child else (0, 1)
        assert called.returncode in expected, f"forget ended with {called.returncode}: {called.stderr}"
        gone = before - self._contents_known()
        assert not (gone and self.child), "a file was forgotten while the daemon held the ledger"
        self.memory.forgotten += [(self.now(), content) for _, content in gone]

    def _contents_known(self) -> set[tuple[int, str]]:
        return set(self.ledger("SELECT id, sha256 FROM media WHERE sha256 IS NOT NULL"))

    # Quiescence.

    def ends_all(self) -> None:
        """Nothing goes wrong any more, nobody does anything any more."""
        self.cloud.clear_faults()
        self._page.armed, self._then, self._struck = "", None, ""
        self.disks.mount()
        self.disks.clear()
        self.person.ends_all()
        if self.ear is not None:
            self.ear.deaf_until = 0.0

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


REMOVED = "SELECT id, taken_at, sha256 FROM media WHERE inbox = 'notes' AND state IN ('delivered', 'delivering')"


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
        ExitStack() as stack,
        running_sandbox(services) as cloud,
        counted_parts() as parts,
    ):
        root = Path(folder, "house")
        root.mkdir()
        lab = Lab(root, cloud, forked=True, quick=False)
        world = World(root, cloud, lab, parts, stack)
        try:
            yield world
        finally:
            world.kill()
