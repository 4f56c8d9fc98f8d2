"""What people do to files, and what they remember of it: the truth that the books are compared with."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path

from lab import files_below, sha256

OWN, EDITED = b"a person's own", b"\nedited"
LITTER = ("link.mp3", "empty.mp3", "readme.txt", "half.mp3.part")


@dataclass
class Lying:
    """One content that somebody put at a path; `until`: when somebody changed or removed it (not the daemon)."""

    inbox: str
    path: str
    content: bytes
    since: float
    until: float | None = None
    finished: bool = True
    """False while its writer still holds it open."""

    @property
    def sha256(self) -> str:
        return sha256(self.content)

    def lay_for(self, seconds: float) -> bool:
        return self.finished and (self.until is None or self.until - self.since >= seconds)


@dataclass
class Person:
    """Acts on folders as people do; an act that is not possible there and then does nothing."""

    root: Path
    inboxes: dict[str, Path]
    outboxes: dict[str, Path]
    faileds: dict[str, Path]
    aside: Path
    now: Callable[[], float]
    lain: list[Lying] = field(default_factory=list)
    put: Counter[str] = field(default_factory=Counter)
    """How many sources of each content (sha256) people brought."""
    gone: Counter[str] = field(default_factory=Counter)
    """How many of them people themselves changed or removed."""
    own: dict[Path, bytes] = field(default_factory=dict)
    """Files of theirs in our folders, which nobody may touch."""
    removed: set[Path] = field(default_factory=set)
    """Outputs and reasons that they deleted."""
    told: set[str] = field(default_factory=set)
    """The contents (sha256) of which the transcripts told that they deleted."""
    meddled_at: list[float] = field(default_factory=list)
    """When they edited or deleted something of ours."""
    retries: int = 0
    absent: set[Path] = field(default_factory=set)
    """Folders whose disk is not there, or full: nobody does anything there."""
    _writers: list[tuple[BufferedWriter, bytes, Lying]] = field(default_factory=list)
    _away: dict[Path, Path] = field(default_factory=dict)

    def writes(self, inbox: str, path: str, content: bytes) -> None:
        target = self.inboxes[inbox] / path
        if self._is_there(inbox) and not self._is_held(inbox, path):
            old = self._content(target)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
            self._removed(inbox, path, old)
            self._brought(inbox, path, content)

    def replaces(self, inbox: str, path: str, content: bytes) -> None:
        target = self.inboxes[inbox] / path
        if self._is_there(inbox) and not self._is_held(inbox, path):
            old = self._content(target)
            target.parent.mkdir(exist_ok=True)
            new = target.with_name(f"{len(self.lain)}.part")
            new.write_bytes(content)
            new.rename(target)
            self._removed(inbox, path, old)
            self._brought(inbox, path, content)

    def changes(self, inbox: str, path: str, how: Callable[[bytes], bytes]) -> None:
        """In place: the inode stays."""
        old = self._content(self.inboxes[inbox] / path)
        if old is not None and not self._is_held(inbox, path):
            self.writes(inbox, path, how(old))

    def deletes(self, inbox: str, path: str) -> None:
        target = self.inboxes[inbox] / path
        old = self._content(target)
        if old is not None and self._is_there(inbox) and not self._is_held(inbox, path):
            target.unlink()
            self._removed(inbox, path, old)

    def renames(self, inbox: str, path: str, to_inbox: str, to_path: str) -> None:
        source, target = self.inboxes[inbox] / path, self.inboxes[to_inbox] / to_path
        content, old = self._content(source), self._content(target)
        held = self._is_held(inbox, path) or self._is_held(to_inbox, to_path)
        there = self._is_there(inbox) and self._is_there(to_inbox)
        if content is None or source == target or held or not there:
            return
        target.parent.mkdir(exist_ok=True)
        _move(source, target)
        self._removed(to_inbox, to_path, old)
        self._removed(inbox, path, content)
        self._brought(to_inbox, to_path, content)

    def begins(self, inbox: str, path: str, content: bytes) -> None:
        target = self.inboxes[inbox] / path
        if self._is_there(inbox) and not target.exists():
            target.parent.mkdir(exist_ok=True)
            file = target.open("wb")
            half = len(content) // 2
            file.write(content[:half])
            file.flush()
            lying = Lying(inbox, path, content[:half], self.now(), finished=False)
            self._writers.append((file, content[half:], lying))

    def finishes(self) -> None:
        for file, rest, lying in self._writers:
            file.write(rest)
            file.close()
            self._brought(lying.inbox, lying.path, lying.content + rest)
        self._writers.clear()

    def litters(self, inbox: str) -> None:
        folder = self.inboxes[inbox]
        if self._is_there(inbox) and not os.path.lexists(folder / LITTER[0]):
            (folder / LITTER[0]).symlink_to("/etc/hostname")
            (folder / LITTER[1]).write_bytes(b"")
            (folder / LITTER[2]).write_bytes(b"read me")
            (folder / LITTER[3]).write_bytes(b"a half")

    def squats(self, file: str) -> None:
        target = self.root / file
        if self._is_usable(target) and not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(OWN)
            self.own[target] = OWN

    def edits(self, file: str) -> None:
        target = self.root / file
        if self._is_usable(target) and target.is_file() and target not in self.own:
            if _is_source(file):
                self.gone[sha256(target.read_bytes())] += 1
            target.write_bytes(target.read_bytes() + EDITED)
            self.own[target] = target.read_bytes()
            self.meddled_at.append(self.now())

    def removes(self, file: str) -> None:
        """Deletes what is ours: an output, a reason, a source that was moved."""
        target = self.root / file
        if not (self._is_usable(target) and target.is_file()):
            return
        content = target.read_bytes()
        target.unlink()
        self.meddled_at.append(self.now())
        if self.own.pop(target, None) is not None:
            return
        self.removed.add(target)
        if _is_source(file):
            self.gone[sha256(content)] += 1
        elif file.endswith(".json") and not file.endswith(".error.json"):
            self.told.add(json.loads(content)["source"]["sha256"])

    def tries_again(self) -> None:
        for inbox, failed in self.faileds.items():
            if not (failed.is_dir() and self._is_usable(failed) and self._is_there(inbox)):
                continue
            for path in sorted(files_below(failed)):
                if not path.endswith(".error.json") or ".dropscribe-" in path or failed / path in self.own:
                    continue
                source = path.removesuffix(".error.json")
                target = self.inboxes[inbox] / source
                if not (failed / source).exists():
                    if target.exists():  # kept: it is taken again where it lies
                        (failed / path).unlink()
                        self.retries += 1
                elif not os.path.lexists(target):
                    target.parent.mkdir(exist_ok=True)
                    _move(failed / source, target)
                    self.own.pop(failed / source, None)
                    self.retries += 1
                    self.lain.append(Lying(inbox, source, target.read_bytes(), self.now()))

    def saw_come_back(self, before: Mapping[str, Mapping[str, bytes]], reasons: int) -> None:
        """`dropscribe retry` has run: what lies in an inbox and did not before came back; `reasons`: how many went."""
        self.retries += reasons
        for failed in self.faileds.values():
            for path in [path for path in self.own if path.is_relative_to(failed) and not path.exists()]:
                del self.own[path]  # an edited source has gone back
        for inbox, folder in self.inboxes.items():
            new = files_below(folder)
            for path in new.keys() - before[inbox].keys():
                if _is_source(path):
                    self.lain.append(Lying(inbox, path, new[path], self.now()))

    def takes_away(self, folder: str) -> None:
        here = self.root / folder
        if here.is_dir() and not os.path.ismount(here) and not any(writer[0] for writer in self._writers):
            there = self.aside / f"away-{len(self._away)}"
            here.rename(there)
            self._away[here] = there

    def brings_back(self) -> None:
        for here, there in self._away.items():
            assert not here.exists(), f"{here} vanished, and was made anew"
            there.rename(here)
        self._away.clear()

    def ends_all(self) -> None:
        """Nothing of theirs is half done any more."""
        self.finishes()
        self.brings_back()

    @property
    def half_written(self) -> Counter[str]:
        """The contents of files whose writers are not done: one may look like a file that somebody truncated."""
        return Counter(lying.sha256 for _, _, lying in self._writers)

    @property
    def is_all_here(self) -> bool:
        return not (self._away or self.absent)

    def _is_there(self, inbox: str) -> bool:
        folder = self.inboxes[inbox]
        return folder.is_dir() and folder not in self.absent

    def _is_usable(self, target: Path) -> bool:
        return not {target, *target.parents} & {*self._away, *self.absent}

    def _is_held(self, inbox: str, path: str) -> bool:
        return any((lying.inbox, lying.path) == (inbox, path) for _, _, lying in self._writers)

    def _content(self, path: Path) -> bytes | None:
        with suppress(FileNotFoundError, NotADirectoryError):
            return path.read_bytes()
        return None

    def _brought(self, inbox: str, path: str, content: bytes) -> None:
        self.lain.append(Lying(inbox, path, content, self.now()))
        if content:
            self.put[sha256(content)] += 1

    def _removed(self, inbox: str, path: str, content: bytes | None) -> None:
        if content is None:
            return
        if content:
            self.gone[sha256(content)] += 1
        for lying in self.lain:
            if (lying.inbox, lying.path) == (inbox, path) and lying.until is None:
                lying.until = self.now()


def _is_source(path: str) -> bool:
    return path.endswith((".mp3", ".wav"))


def _move(source: Path, target: Path) -> None:
    """As `mv` does, from disk to disk as well."""
    if os.path.lexists(target):
        target.unlink()
    shutil.move(source, target)
