"""A disk whose power can be cut: of each change, what must have survived, and what may have.

What may survive is decided as adversely as a file system of today may be (ext4, XFS, Btrfs and worse than each):

- Bytes are there only once their file was synced; until then each write is kept, lost, torn, or there as zeros.
- A name (created, renamed, removed) is there only once a folder that it touches was synced; syncing a file does not
  bring its name along. Until then each change of a name is kept or lost by itself, in any order, save that two changes
  of the same name stay in order, and that a rename happens whole or not at all, also between two folders.
- A folder whose own name is lost takes with it what is in it, synced or not.

After ALICE (Pillai et al., OSDI 2014), whose model splits renames too: no program that renames could live with that,
and no file system with a journal does it.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from power.calls import Call

Fate = Literal["kept", "lost", "torn", "zeros"]
FATES: Sequence[Fate] = ("kept", "lost", "torn", "zeros")
SECTOR = 512


@dataclass(frozen=True, slots=True)
class _Piece:
    """A write, or with `data` None a new length, that no sync has confirmed."""

    moment: int
    offset: int
    data: bytes | None


@dataclass(eq=False, slots=True)
class File:
    """`origin`: the real file that it is, where nothing was ever written to it; `durable` is its content then."""

    durable: bytes | bytearray = b""
    pending: list[_Piece] = field(default_factory=list)
    origin: Path | None = None

    def now(self) -> bytes:
        """What the running program reads."""
        return self.after(lambda: "kept")

    def after(self, fate: Callable[[], Fate]) -> bytes:
        """What is left of it when each write that is not confirmed has its fate."""
        if isinstance(self.durable, bytes) and not self.pending:
            return self.durable
        left = bytearray(self.durable)
        for piece in self.pending:
            _suffer(left, piece, fate())
        return bytes(left)

    def add(self, piece: _Piece) -> None:
        self.origin = None
        self.pending.append(piece)

    def confirm(self, before: int) -> None:
        """A sync that began at `before` has ended."""
        if self.pending and isinstance(self.durable, bytes):
            self.durable = bytearray(self.durable)
        for piece in self.pending:
            if piece.moment < before:
                assert isinstance(self.durable, bytearray)
                _suffer(self.durable, piece, "kept")
        self.pending = [piece for piece in self.pending if piece.moment >= before]


@dataclass(eq=False, slots=True)
class Folder:
    durable: "dict[bytes, Node]" = field(default_factory=dict)
    now: "dict[bytes, Node]" = field(default_factory=dict)


Node = File | Folder


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Names that change together: what each is from now on (None: nothing)."""

    moment: int
    entries: tuple[tuple[Folder, bytes, Node | None], ...]

    def touches(self, folder: Folder) -> bool:
        return any(one is folder for one, _, _ in self.entries)

    def names(self) -> set[tuple[int, bytes]]:
        return {(id(folder), name) for folder, name, _ in self.entries}


@dataclass(frozen=True)
class Mood:
    """How the disk takes the cut: whether a change of a name is kept, and each write's fate."""

    name: str
    keeps: Callable[[], bool]
    fate: Callable[[], Fate]


STRICT = Mood("only what was synced", lambda: False, lambda: "lost")
NAMES = Mood("names without bytes", lambda: True, lambda: "lost")
BYTES = Mood("bytes without names", lambda: False, lambda: "kept")
LUCKY = Mood("everything", lambda: True, lambda: "kept")


def whim(seed: int) -> Mood:
    """Anything that may be, by chance."""
    chance = Random(seed)
    return Mood(f"whim {seed}", lambda: chance.random() < 0.5, lambda: chance.choice(FATES))


@dataclass(frozen=True)
class Remains:
    """What stands at one path after the cut. `whole`: it is what the program had written, to the last byte."""

    file: File
    content: bytes
    whole: bool


@dataclass(frozen=True)
class Wreck:
    """A disk after the cut: folders (parents first) and files by their paths."""

    folders: tuple[bytes, ...]
    files: Mapping[bytes, Remains]

    def digest(self) -> bytes:
        """Equal for equal wrecks."""
        digest = hashlib.sha256(b"\0".join(self.folders))
        for path, remains in self.files.items():
            origin = remains.file.origin
            digest.update(b"\0%b\0%b" % (path, remains.content if origin is None else os.fsencode(origin)))
        return digest.digest()


class Disk:
    """What lies in some folders, now and durably."""

    def __init__(self, *roots: bytes) -> None:
        """The names of the folders themselves are durable."""
        self._tops = {root: Folder() for root in roots}
        self._pending: list[Change] = []
        self._moment = 0

    def stock(self, path: bytes, node: Node) -> None:
        """Something that is there durably from the beginning; the folders above it too."""
        folder, (*above, name) = self._place(path)
        for part in above:
            inner = folder.now.setdefault(part, Folder())
            assert isinstance(inner, Folder)
            folder.durable[part] = inner
            folder = inner
        folder.durable[name] = folder.now[name] = node

    def apply(self, call: Call) -> None:
        """One call of the program has ended."""
        match call.kind:
            case "create":
                if not self._exists(call.path):
                    self._change((call.path, File()))
            case "mkdir":
                self._change((call.path, Folder()))
            case "rename":
                self._change((call.path, None), (call.to, self._node(call.path)))
            case "link":
                self._change((call.to, self._node(call.path)))
            case "unlink" | "rmdir":
                self._change((call.path, None))
            case "write":
                self._file(call.path).add(_Piece(self._moment, call.offset, call.data))
            case "resize":
                self._file(call.path).add(_Piece(self._moment, call.size, None))
            case "sync":
                self._sync(call)
        self._moment += 1

    def cut(self, mood: Mood) -> Wreck:
        """The power goes now."""
        names: dict[tuple[int, bytes], Node | None] = {}
        lost: set[tuple[int, bytes]] = set()
        for change in self._pending:
            if lost.isdisjoint(change.names()) and mood.keeps():
                names |= {(id(folder), name): node for folder, name, node in change.entries}
            else:
                lost |= change.names()
        folders: list[bytes] = []
        files: dict[bytes, Remains] = {}
        for root, top in self._tops.items():
            self._survey(top, root, names, mood, folders, files)
        return Wreck(tuple(folders), files)

    def now(self) -> Wreck:
        """What the running program sees."""
        return self.cut(LUCKY)

    def _survey(
        self,
        folder: Folder,
        path: bytes,
        names: Mapping[tuple[int, bytes], Node | None],
        mood: Mood,
        folders: list[bytes],
        files: dict[bytes, Remains],
    ) -> None:
        changed = {name: node for (owner, name), node in names.items() if owner == id(folder)}
        for name, node in sorted((folder.durable | changed).items(), key=lambda pair: pair[0]):
            inner = os.path.join(path, name)
            if isinstance(node, Folder):
                folders.append(inner)
                self._survey(node, inner, names, mood, folders, files)
            elif node is not None:
                content = node.after(mood.fate)
                files[inner] = Remains(node, content, not node.pending or content == node.now())

    def _sync(self, call: Call) -> None:
        node = self._node(call.path)
        if isinstance(node, File):
            node.confirm(call.begun)
        else:
            self._sync_folder(node, call.begun)

    def _sync_folder(self, synced: Folder, begun: int) -> None:
        wanted: set[tuple[int, bytes]] = set()
        kept: list[Change] = []
        for change in reversed(self._pending):
            if (change.touches(synced) and change.moment < begun) or not wanted.isdisjoint(change.names()):
                wanted |= change.names()  # and what came before it at the same names
                kept.append(change)
        for change in reversed(kept):
            for folder, name, value in change.entries:
                if value is None:
                    folder.durable.pop(name, None)
                else:
                    folder.durable[name] = value
        self._pending = [change for change in self._pending if change not in kept]

    def _change(self, *names: tuple[bytes, Node | None]) -> None:
        entries = []
        for path, node in names:
            folder, name = self._entry(path)
            entries.append((folder, name, node))
            if node is None:
                del folder.now[name]
            else:
                folder.now[name] = node
        self._pending.append(Change(self._moment, tuple(entries)))

    def _place(self, path: bytes) -> tuple[Folder, list[bytes]]:
        """The root that `path` lies in, and the parts of the way from there."""
        for root, top in self._tops.items():
            if os.path.join(path, b"").startswith(os.path.join(root, b"")):
                return top, [part for part in path[len(root) :].split(b"/") if part]
        raise ValueError(f"{path!r} is on another disk")

    def _entry(self, path: bytes) -> tuple[Folder, bytes]:
        top, (*above, name) = self._place(path)
        folder = _walk(top, above)
        assert isinstance(folder, Folder)
        return folder, name

    def _node(self, path: bytes) -> Node:
        return _walk(*self._place(path))

    def _file(self, path: bytes) -> File:
        node = self._node(path)
        assert isinstance(node, File)
        return node

    def _exists(self, path: bytes) -> bool:
        folder, name = self._entry(path)
        return name in folder.now


def _walk(node: Node, parts: Iterable[bytes]) -> Node:
    for part in parts:
        assert isinstance(node, Folder)
        node = node.now[part]
    return node


def _suffer(content: bytearray, piece: _Piece, fate: Fate) -> None:
    if fate == "lost":
        return
    if piece.data is None:
        del content[piece.offset :]
        content.extend(bytes(piece.offset - len(content)))
        return
    data = piece.data
    if fate == "zeros":
        data = bytes(len(data))
    elif fate == "torn":
        data = data[: len(data) // 2 // SECTOR * SECTOR or len(data) // 2]
    end = piece.offset + len(data)
    content.extend(bytes(max(0, end - len(content))))
    content[piece.offset : end] = data


def wrecks(disk: Disk, moods: Iterable[Mood]) -> Iterator[tuple[Mood, Wreck]]:
    """What the disk may be after a cut now; each way once."""
    seen: set[bytes] = set()
    for mood in moods:
        wreck = disk.cut(mood)
        if (digest := wreck.digest()) not in seen:
            seen.add(digest)
            yield mood, wreck
