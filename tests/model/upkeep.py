"""What else may happen: how a daemon was set up, what its operator does to it, and what becomes of disks.

The first three are of the beginning: behind any other step they do nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.steps import Step

if TYPE_CHECKING:
    from model.world import World


class Beginning(Step):
    """Happens before the daemon is started for the first time."""


@dataclass(frozen=True)
class Told(Beginning):
    def __str__(self) -> str:
        return "somebody is told of everything by a webhook"

    def act(self, world: "World") -> None:
        if not world.has_begun:
            world.tells()


@dataclass(frozen=True)
class Limited(Beginning):
    def __str__(self) -> str:
        return "a day may cost 70 s of sound"

    def act(self, world: "World") -> None:
        if not world.has_begun:
            world.limits()


@dataclass(frozen=True)
class OnDisk(Beginning):
    """Needs root; without it the folder lies where it lay."""

    folder: str

    def __str__(self) -> str:
        return f"{self.folder} lies on a disk of its own"

    def act(self, world: "World") -> None:
        if not world.has_begun:
            world.disks.have(world.root / self.folder)


# What becomes of the disk.


@dataclass(frozen=True)
class Unmount(Step):
    def __str__(self) -> str:
        return "the disk is unmounted"

    def act(self, world: "World") -> None:
        world.disks.unmount()


@dataclass(frozen=True)
class Swap(Step):
    def __str__(self) -> str:
        return "another disk, an empty one, is mounted where the disk was"

    def act(self, world: "World") -> None:
        world.disks.swap()


@dataclass(frozen=True)
class Mount(Step):
    def __str__(self) -> str:
        return "the disk is mounted where it was"

    def act(self, world: "World") -> None:
        world.disks.mount()


@dataclass(frozen=True)
class Fill(Step):
    def __str__(self) -> str:
        return "the disk is full"

    def act(self, world: "World") -> None:
        world.disks.fill()


@dataclass(frozen=True)
class Clear(Step):
    def __str__(self) -> str:
        return "there is room on the disk again"

    def act(self, world: "World") -> None:
        world.disks.clear()


# What people do to what is ours, and who does not listen.


@dataclass(frozen=True)
class Remove(Step):
    file: str

    def __str__(self) -> str:
        return f"somebody deletes {self.file}, if it is ours"

    def act(self, world: "World") -> None:
        world.person.removes(self.file)


@dataclass(frozen=True)
class Deaf(Step):
    seconds: float

    def __str__(self) -> str:
        return f"whoever is told answers 503 for {self.seconds:g} s"

    def act(self, world: "World") -> None:
        if world.ear is not None:
            world.ear.deaf_until = world.now() + self.seconds


# Commands.


@dataclass(frozen=True)
class TryAgain(Step):
    """`dropscribe retry`, beside a daemon or without one."""

    file: str = ""
    alone: bool = False

    def __str__(self) -> str:
        which = f"retry {self.file}" if self.file else "retry --all"
        return f"`dropscribe {which}`{' while the daemon is stopped' if self.alone else ''}"

    def act(self, world: "World") -> None:
        if self.alone:
            world.stop()
        world.tries_again(self.file)
        if self.alone:
            world.start()


@dataclass(frozen=True)
class Forget(Step):
    """`dropscribe forget`; beside a daemon it is refused."""

    file: str
    alone: bool = True

    def __str__(self) -> str:
        return f"`dropscribe forget {self.file}`{' while the daemon is stopped' if self.alone else ''}"

    def act(self, world: "World") -> None:
        if self.alone:
            world.stop()
        world.forgets(self.file)
        if self.alone:
            world.start()


# The state folder.


@dataclass(frozen=True)
class Copy(Step):
    def __str__(self) -> str:
        return "a backup of the ledger is made"

    def act(self, world: "World") -> None:
        world.memory.copy()


@dataclass(frozen=True)
class Restore(Step):
    """Of the last backup."""

    killed: bool = False

    def __str__(self) -> str:
        return f"the daemon is {'killed' if self.killed else 'stopped'}, the backup restored, and it is started again"

    def act(self, world: "World") -> None:
        if world.memory.has_copy and world.person.is_all_here:
            world.kill() if self.killed else world.stop()
            world.memory.restore()
            world.start()


@dataclass(frozen=True)
class Lose(Step):
    killed: bool = False

    def __str__(self) -> str:
        return f"the daemon is {'killed' if self.killed else 'stopped'}, the state folder lost, and it is started again"

    def act(self, world: "World") -> None:
        if world.person.is_all_here:
            world.kill() if self.killed else world.stop()
            world.memory.lose()
            world.start()
