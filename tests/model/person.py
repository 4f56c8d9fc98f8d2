"""What people do to files, and what they remember of it: the truth that the books are compared with."""

import os
from collections import Counter
from collections.abc import Callable
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
    retries: int = 0
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
            new = self.aside / f"new-{len(self.lain)}"
            new.write_bytes(content)
            target.parent.mkdir(exist_ok=True)
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
        if old is not None and not self._is_held(inbox, path):
            target.unlink()
            self._removed(inbox, path, old)

    def renames(self, inbox: str, path: str, to_inbox: str, to_path: str) -> None:
        source, target = self.inboxes[inbox] / path, self.inboxes[to_inbox] / to_path
        content, old = self._content(source), self._content(target)
        held = self._is_held(inbox, path) or self._is_held(to_inbox, to_path)
        if content is None or source == target or held or not self._is_there(to_inbox):
            return
        target.parent.mkdir(exist_ok=True)
        source.rename(target)
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
        if not (set(target.parents) & set(self._away) or os.path.lexists(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(OWN)
            self.own[target] = OWN

    def edits(self, file: str) -> None:
        target = self.root / file
        if target.is_file() and target not in self.own:
            target.write_bytes(target.read_bytes() + EDITED)
            self.own[target] = target.read_bytes()

    def tries_again(self) -> None:
        for inbox, failed in self.faileds.items():
            if not (failed.is_dir() and self._is_there(inbox)):
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
                    (failed / source).rename(target)
                    self.retries += 1
                    self.lain.append(Lying(inbox, source, target.read_bytes(), self.now()))

    def takes_away(self, folder: str) -> None:
        here = self.root / folder
        if here.is_dir() and not any(writer[0] for writer in self._writers):
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

    def _is_there(self, inbox: str) -> bool:
        return self.inboxes[inbox].is_dir()

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
