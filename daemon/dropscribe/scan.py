"""An inbox compared with nothing but its rules: which files could be taken, and why the others are not."""

import fnmatch
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dropscribe.disk.sources import Oddity, folder_at, look_of_stat, oddity_of, parts, step_into, unreadable
from dropscribe.model import MEDIA_SUFFIXES, Look
from dropscribe.names import PRIVATE_PREFIX, included, is_private, not_media_reason

Reason = Literal[
    "private",  # one of our own temporary names
    "own-folder",  # inside an outbox, done, failed or state folder
    "excluded",
    "not-included",
    "unsupported",
    "empty",
    "symlink",
    "folder",  # only from `inspect`
    "fifo",
    "socket",
    "device",
    "unreadable",
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that could be taken once it has settled; `path` is relative to the inbox."""

    path: bytes
    look: Look


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry that stays where it is, and the sentence that says why."""

    path: bytes
    reason: Reason
    sentence: str


Entry = Candidate | Ignored


class Rules:
    """Which names an inbox takes, as `names.included` says, with the patterns compiled once. Immutable."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self.include = tuple(include)
        self.exclude = tuple(exclude)
        self._excluded_name = _any_of(pattern for pattern in exclude if "/" not in pattern)
        self._excluded_path = _any_of(_anchored(exclude))
        self._included_name = _any_of(pattern for pattern in include if "/" not in pattern)
        self._included_path = _any_of(_anchored(include))

    def excludes(self, prefix: str, name: str) -> bool:
        """Whether `name` is excluded in a folder that is not; `prefix` is that folder's path, "" or ending in `/`."""
        if self._excluded_name is not None and self._excluded_name.match(name):
            return True
        return self._excluded_path is not None and self._excluded_path.match(prefix + name) is not None

    def takes(self, prefix: str, name: str) -> bool:
        """Whether a file of that name, in a folder that is not excluded, is one that the inbox takes."""
        if _MEDIA.match(name) is None or name.startswith(_PRIVATE) or self.excludes(prefix, name):
            return False
        if self._included_name is not None and self._included_name.match(name):
            return True
        return self._included_path is not None and self._included_path.match(prefix + name) is not None


TEMPORARY = "It is a temporary file of dropscribe's own."
MOVING = (
    "It is a recording that dropscribe is about to move, and goes on with. Where its ledger was lost since, give it a"
    " name of its own, and it is taken anew."
)
_PRIVATE = PRIVATE_PREFIX.decode()
_MEDIA = re.compile(rf"\.*[^.].*\.(?:{'|'.join(sorted(MEDIA_SUFFIXES))})\Z", re.ASCII | re.IGNORECASE | re.DOTALL)


def _any_of(patterns: Iterator[str]) -> re.Pattern[str] | None:
    translated = [fnmatch.translate(pattern) for pattern in patterns]
    return re.compile("|".join(translated)) if translated else None


def _anchored(patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        if "/" in pattern:
            yield pattern.strip("/")
            yield pattern.strip("/") + "/*"


def classify(path: bytes, result: os.stat_result, rules: Rules) -> Entry:
    """What one lstat and the path say. Whether the file can be read, only `hashing.take` finds out."""
    return _by_exclusion(path, rules) or _by_type(path, result) or _by_name(path, rules) or _by_size(path, result)


def _by_exclusion(path: bytes, rules: Rules) -> Ignored | None:
    if is_private(path):
        return Ignored(path, "private", MOVING if path.endswith(b".moving") else TEMPORARY)
    verdict = included(path, ["*"], rules.exclude)
    return None if verdict.included else Ignored(path, "excluded", verdict.reason)


def _by_type(path: bytes, result: os.stat_result) -> Ignored | None:
    oddity = oddity_of(result)
    return _ignored(path, oddity) if oddity else None


def _by_name(path: bytes, rules: Rules) -> Ignored | None:
    reason = not_media_reason(path.rpartition(b"/")[2])
    if reason is not None:
        return Ignored(path, "unsupported", reason)
    verdict = included(path, rules.include, ())
    return None if verdict.included else Ignored(path, "not-included", verdict.reason)


def _by_size(path: bytes, result: os.stat_result) -> Entry:
    if result.st_size == 0:
        return Ignored(path, "empty", "It is empty: it may still be being written.")
    return Candidate(path, look_of_stat(result))


def _ignored(path: bytes, oddity: Oddity) -> Ignored:
    assert oddity.kind != "gone"
    return Ignored(path, oddity.kind, oddity.sentence)


class _OwnFolders:
    """Folders within an inbox that are not part of it, known by device and inode, and by their path as well."""

    def __init__(self, root: Path, skip: Collection[Path]) -> None:
        top = os.path.realpath(os.fsencode(root))
        found = [_identity(os.fsencode(path)) for path in skip]
        self._identities = {identity for identity in found if identity} - {_identity(top)}
        real = (os.path.realpath(os.fsencode(path)) for path in skip)
        self._paths = {os.path.relpath(path, top) for path in real} - {b"."}

    def hold(self, descriptor: int, path: bytes) -> bool:
        """Whether the open folder, `path` within the inbox, is one of them."""
        result = os.fstat(descriptor)
        return path in self._paths or (result.st_dev, result.st_ino) in self._identities


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        result = os.stat(path)
    except OSError:
        return None
    return result.st_dev, result.st_ino


def _own(path: bytes) -> Ignored:
    return Ignored(path, "own-folder", "It lies in a folder that dropscribe itself fills, so it is no source.")


def walk(root: Path, skip: Collection[Path], rules: Rules, *, explain: bool = False) -> Iterator[Entry]:
    """Every candidate below `root`, in no particular order; with `explain` also every entry that is ignored.

    Folders that could not be read come as `unreadable` in any case: what lies in them is not known to be gone. An
    excluded folder, or one of `skip`, is one entry and not entered. No link below `root` is followed.
    Raises FileNotFoundError if `root` is missing, other OSError if `root` itself can not be read to its end.
    """
    own = _OwnFolders(root, skip)
    pending = [b""]
    while pending:
        folder = pending.pop()
        try:
            with folder_at(root, folder) as descriptor:
                if folder and own.hold(descriptor, folder):
                    if explain:
                        yield _own(folder)
                    continue
                yield from _Listing(folder, rules, explain, pending).entries(descriptor)
        except OSError as error:
            if not folder:
                raise
            yield _ignored(folder, unreadable(error))


@dataclass(frozen=True, slots=True)
class _Listing:
    """One folder of a walk; folders found in it are appended to `pending`."""

    folder: bytes
    rules: Rules
    explain: bool
    pending: list[bytes]

    def entries(self, descriptor: int) -> Iterator[Entry]:
        prefix = os.fsdecode(self.folder) + "/" if self.folder else ""
        with os.scandir(descriptor) as found:
            for entry in found:
                # Most entries of a large inbox are known files: the cheap questions come first.
                if self.explain or self.rules.takes(prefix, entry.name) or entry.is_dir(follow_symlinks=False):
                    result = self._entry(prefix, entry)
                    if result is not None:
                        yield result

    def _entry(self, prefix: str, entry: os.DirEntry[str]) -> Entry | None:
        path = os.fsencode(prefix + entry.name)
        try:
            if entry.is_dir(follow_symlinks=False):
                return self._folder(prefix, entry.name, path)
            result = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _ignored(path, unreadable(error))
        if self.explain:
            return classify(path, result, self.rules)
        found = _by_type(path, result) or _by_size(path, result)
        return found if isinstance(found, Candidate) else None

    def _folder(self, prefix: str, name: str, path: bytes) -> Entry | None:
        if not name.startswith(_PRIVATE) and not self.rules.excludes(prefix, name):
            self.pending.append(path)
            return None
        return _by_exclusion(path, self.rules) if self.explain else None


def inspect(root: Path, path: bytes, skip: Collection[Path], rules: Rules) -> Entry | None:
    """What `walk` would say of one path (a folder is `folder`); None if nothing stands there.

    Raises FileNotFoundError if `root` is missing, OSError for a fault of the disk.
    """
    try:
        return _reach(root, path, _OwnFolders(root, skip if b"/" in path else ()), rules)
    except (FileNotFoundError, NotADirectoryError):
        os.stat(root)
        return None
    except PermissionError as error:
        return _ignored(path, unreadable(error))


def _reach(root: Path, path: bytes, own: _OwnFolders, rules: Rules) -> Entry:
    *folders, name = parts(path)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for depth, folder in enumerate(folders, start=1):
            inner = step_into(descriptor, folder)
            os.close(descriptor)
            descriptor = inner
            if own.hold(descriptor, b"/".join(folders[:depth])):
                return _own(path)
        return classify(path, os.stat(name, dir_fd=descriptor, follow_symlinks=False), rules)
    finally:
        os.close(descriptor)
