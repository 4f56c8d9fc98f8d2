"""What may happen, one small act each; a step that makes no sense where it stands does nothing, so plans can shrink.

`str(step)` is the step in plain words; `repr(step)` is what goes into a kept plan.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from model.world import World

INBOXES = ("talks", "library", "notes")
Inbox = Literal["talks", "library", "notes"]
PATHS = ("talk.mp3", "talk.wav", "a/talk.mp3")
CONTENTS = {
    "A": b"sound of A, " * 12,
    "B": b"sound of B, " * 12,
    "silence": b"NOSPEECH",
    "broken": b"BROKEN:FILE_PARSE_FAILED",
    "speech": b"a speech, " * 33_000,
    "lecture": b"a lecture, " * 30_000,
    "film": b"a film, " * 1_100_000,
}
"""A speech is taken to last longer, by its size, than it is billed for; a film is uploaded in two parts."""
FOLDERS = ("talks/inbox", "talks/outbox", "talks/done", "talks/failed", "library", "notes/inbox", "notes/outbox")
OURS = (
    "talks/outbox/talk.json",
    "talks/outbox/talk.srt",
    "talks/outbox/talk.mp3.json",
    "talks/outbox/a/talk.json",
    "talks/done/talk.mp3",
    "talks/failed/talk.mp3",
    "talks/failed/talk.mp3.error.json",
    "library/talk.srt",
    "library/talk.json",
    "library/a/talk.json",
    "library-failed/talk.mp3.error.json",
    "notes/outbox/a/talk.srt",
)
"""Names that outputs, sources and reasons would get."""
CHANGES = ("talks in English", "talks with vtt", "talks are kept", "without notes", "as at first")
KEYS = ("sk-sandbox", "sk-second", "sk-another-account")


class Step:
    """One act of a plan."""

    def act(self, world: "World") -> None:
        raise NotImplementedError


# What people do with files.


@dataclass(frozen=True)
class Drop(Step):
    """Written where it lies: what lay there is overwritten in place."""

    inbox: str
    path: str
    content: str

    def __str__(self) -> str:
        return f"{self.content} is written to {self.inbox}/{self.path}"

    def act(self, world: "World") -> None:
        world.person.writes(self.inbox, self.path, CONTENTS[self.content])


@dataclass(frozen=True)
class Replace(Step):
    """Moved there from elsewhere, in the place of what lay there."""

    inbox: str
    path: str
    content: str

    def __str__(self) -> str:
        return f"{self.content} is moved to {self.inbox}/{self.path}, in the place of what lies there"

    def act(self, world: "World") -> None:
        world.person.replaces(self.inbox, self.path, CONTENTS[self.content])


@dataclass(frozen=True)
class Append(Step):
    inbox: str
    path: str

    def __str__(self) -> str:
        return f"{self.inbox}/{self.path} grows"

    def act(self, world: "World") -> None:
        world.person.changes(self.inbox, self.path, lambda old: old + b" and more")


@dataclass(frozen=True)
class Cut(Step):
    inbox: str
    path: str

    def __str__(self) -> str:
        return f"{self.inbox}/{self.path} is truncated"

    def act(self, world: "World") -> None:
        world.person.changes(self.inbox, self.path, lambda old: old[: len(old) // 2])


@dataclass(frozen=True)
class Touch(Step):
    inbox: str
    path: str

    def __str__(self) -> str:
        return f"{self.inbox}/{self.path} gets another mtime"

    def act(self, world: "World") -> None:
        world.person.changes(self.inbox, self.path, lambda old: old)


@dataclass(frozen=True)
class Delete(Step):
    inbox: str
    path: str

    def __str__(self) -> str:
        return f"{self.inbox}/{self.path} is deleted"

    def act(self, world: "World") -> None:
        world.person.deletes(self.inbox, self.path)


@dataclass(frozen=True)
class Rename(Step):
    inbox: str
    path: str
    to_inbox: str
    to_path: str

    def __str__(self) -> str:
        return f"{self.inbox}/{self.path} is renamed to {self.to_inbox}/{self.to_path}"

    def act(self, world: "World") -> None:
        world.person.renames(self.inbox, self.path, self.to_inbox, self.to_path)


@dataclass(frozen=True)
class Hold(Step):
    """Written half, and kept open by its writer until `Release`."""

    inbox: str
    path: str
    content: str

    def __str__(self) -> str:
        return f"half of {self.content} is written to {self.inbox}/{self.path}, and the writer keeps it open"

    def act(self, world: "World") -> None:
        world.person.begins(self.inbox, self.path, CONTENTS[self.content])


@dataclass(frozen=True)
class Release(Step):
    def __str__(self) -> str:
        return "every writer writes the rest and closes"

    def act(self, world: "World") -> None:
        world.person.finishes()


@dataclass(frozen=True)
class Litter(Step):
    """What no inbox takes: a link, an empty file, a text, a download that is under way."""

    inbox: str

    def __str__(self) -> str:
        return f"a link, an empty file, a text and a .part are put into {self.inbox}"

    def act(self, world: "World") -> None:
        world.person.litters(self.inbox)


@dataclass(frozen=True)
class Squat(Step):
    """Somebody's own file where one of ours would go."""

    file: str

    def __str__(self) -> str:
        return f"somebody puts a file of his own at {self.file}"

    def act(self, world: "World") -> None:
        world.person.squats(self.file)


@dataclass(frozen=True)
class Edit(Step):
    file: str

    def __str__(self) -> str:
        return f"somebody edits {self.file}"

    def act(self, world: "World") -> None:
        world.person.edits(self.file)


@dataclass(frozen=True)
class Retry(Step):
    """As the README says: the file is moved back; with `done: keep` its error file is deleted."""

    def __str__(self) -> str:
        return "every failed file is tried again"

    def act(self, world: "World") -> None:
        world.person.tries_again()


# What becomes of folders.


@dataclass(frozen=True)
class Away(Step):
    folder: str

    def __str__(self) -> str:
        return f"the folder {self.folder} vanishes"

    def act(self, world: "World") -> None:
        world.person.takes_away(self.folder)


@dataclass(frozen=True)
class Back(Step):
    def __str__(self) -> str:
        return "every folder is back"

    def act(self, world: "World") -> None:
        world.person.brings_back()


# What the cloud does.


@dataclass(frozen=True)
class Cloud(Step):
    weather: str

    def __str__(self) -> str:
        return f"from now on {self.weather}"

    def act(self, world: "World") -> None:
        world.has(self.weather)


# What becomes of the daemon.


@dataclass(frozen=True)
class Kill(Step):
    """SIGKILL now; some time passes; it is started again."""

    down: float = 0.0

    def __str__(self) -> str:
        return f"the daemon is killed, and started again after {duration(self.down)}"

    def act(self, world: "World") -> None:
        world.kill()
        world.passes(self.down)
        world.start()


@dataclass(frozen=True)
class KillAt(Step):
    """SIGKILL when it passes this boundary next; somebody may act before it is started again."""

    boundary: str
    then: Step | None = None

    def __str__(self) -> str:
        then = f"; before it is started again: {self.then}" if self.then else ""
        return f"the daemon is killed when it next passes {self.boundary}{then}"

    def act(self, world: "World") -> None:
        world.arm("kill", self.boundary, self.then)


@dataclass(frozen=True)
class Freeze(Step):
    """It stands still when it passes this boundary next, and there somebody acts."""

    boundary: str
    then: Step

    def __str__(self) -> str:
        return f"at the very moment when the daemon next passes {self.boundary}: {self.then}"

    def act(self, world: "World") -> None:
        world.arm("freeze", self.boundary, self.then)


@dataclass(frozen=True)
class Restart(Step):
    key: str = ""

    def __str__(self) -> str:
        return f"the daemon is stopped and started again{f' with the key {self.key}' if self.key else ''}"

    def act(self, world: "World") -> None:
        world.stop()
        world.uses(self.key)
        world.start()


@dataclass(frozen=True)
class Reload(Step):
    change: str

    def __str__(self) -> str:
        return f"the configuration is changed ({self.change}) and reloaded"

    def act(self, world: "World") -> None:
        world.reloads(self.change)


@dataclass(frozen=True)
class Wait(Step):
    seconds: float

    def __str__(self) -> str:
        return f"{duration(self.seconds)} pass"

    def act(self, world: "World") -> None:
        world.passes(self.seconds)


Plan = tuple[Step, ...]


def duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def in_words(plan: Plan) -> str:
    """A plan for people, and as it goes into `test_found`."""
    words = "\n".join(f"  {number}. {step}" for number, step in enumerate(plan, 1))
    return f"The plan was:\n{words}\nTo keep it:\n  " + "\n  ".join(f"{step!r}," for step in plan)
