"""What strace wrote down, as the calls that change a file system: pure.

It is asked for `-f -y -xx`: every text is in hexadecimal, every descriptor carries its path, and one file holds the
calls of all threads in the order in which they ended.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

TRACED = (
    "open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,copy_file_range,sendfile,splice,fallocate,"
    "truncate,ftruncate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,mknod,mknodat,"
    "unlink,unlinkat,rmdir,fsync,fdatasync,syncfs,sync_file_range"
)
"""Whatever can change names or contents, whether it is understood here or not. What is written through a mapping is not
seen; SQLite does so only in its `-shm`, which it makes anew after a crash.
"""
MARK = b"mark "

Kind = Literal["create", "write", "resize", "rename", "link", "unlink", "mkdir", "rmdir", "sync", "mark"]


class NotUnderstood(Exception):
    """A line that may mean a change, and that nothing here can read."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded. `path` is absolute; `to` is a rename's or link's target, `size` a new length.

    `begun` says how many calls had ended when this one began: a sync makes durable what had ended by then, no more.
    """

    kind: Kind
    path: bytes
    to: bytes = b""
    offset: int = 0
    data: bytes = b""
    size: int = 0
    begun: int = 0


_LINE = re.compile(r"(\d+) +(.*)")
_WHOLE = re.compile(r"(\w+)\((.*)\) += (-?\d+)(.*)", re.DOTALL)
_BEGUN = re.compile(r"(\w+)\((.*?),? *<unfinished \.\.\.>", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_DESCRIPTOR = re.compile(r"(\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"$')


@dataclass(frozen=True, slots=True)
class _Descriptor:
    number: int
    path: bytes | None
    """None for a file that has no name any more."""


class Trace:
    """Reads lines as they come; `calls` grows."""

    def __init__(self, roots: Iterable[bytes]) -> None:
        """Only what happens in these folders counts."""
        self._roots = tuple(os.path.join(root, b"") for root in roots)
        self._open: dict[str, tuple[str, str, int]] = {}
        self._positions: dict[int, int] = {}
        self.calls: list[Call] = []

    def read(self, lines: Iterable[str]) -> None:
        """Raises NotUnderstood."""
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                raise NotUnderstood(line[:200])
            self._read_one(found[1], found[2])

    def _read_one(self, thread: str, text: str) -> None:
        if text.startswith(("---", "+++")):
            return
        if begun := _BEGUN.fullmatch(text):
            self._open[thread] = (begun[1], begun[2], len(self.calls))
            return
        moment = len(self.calls)
        if resumed := _RESUMED.match(text):
            name, arguments, moment = self._open.pop(thread)
            rest = resumed[2].lstrip(", ")
            between = "" if rest.startswith(")") or not arguments else ", "
            text = f"{name}({arguments}{between}{rest}"
        if text.startswith("exit") or text.endswith("= ?"):
            return
        whole = _WHOLE.fullmatch(text)
        if whole is None:
            raise NotUnderstood(text[:200])
        if int(whole[3]) >= 0:
            result = whole[3] + (whole[4] if whole[4].startswith("<") else "")
            self.calls += self._understood(whole[1], whole[2].split(", ") if whole[2] else [], result, moment)

    def _understood(self, name: str, given: list[str], result: str, begun: int) -> Iterator[Call]:
        match name:
            case "open" | "openat" | "creat":
                yield from self._opened(name, given, result)
            case "write" | "pwrite64":
                yield from self._written(name, given, int(result))
            case "ftruncate":
                target = _descriptor(given[0])
                if self._counts(target.path):
                    yield Call("resize", target.path or b"", size=int(given[1]))
            case "rename" | "renameat" | "renameat2" | "link" | "linkat":
                paths = _paths(given)
                yield from self._of("rename" if name.startswith("rename") else "link", paths[0], paths[1])
            case "mkdir" | "mkdirat":
                yield from self._of("mkdir", _paths(given)[0])
            case "unlink" | "unlinkat" | "rmdir":
                folder = name == "rmdir" or "AT_REMOVEDIR" in given[-1]
                yield from self._of("rmdir" if folder else "unlink", _paths(given)[0])
            case "fsync" | "fdatasync":
                target = _descriptor(given[0])
                if self._counts(target.path):
                    yield Call("sync", target.path or b"", begun=begun)
            case _:
                said = " ".join([*given, result]).replace("\\x", "")
                if any(root.hex() in said for root in self._roots):
                    raise NotUnderstood(f"{name}: nobody has needed it yet")

    def _opened(self, name: str, given: list[str], result: str) -> Iterator[Call]:
        opened = _descriptor(result)
        self._positions[opened.number] = 0
        flags = "O_CREAT|O_TRUNC" if name == "creat" else next((one for one in given if one.startswith("O_")), "")
        path = _paths(given)[0]
        if "O_CREAT" in flags:
            yield from self._of("create", path)
        if "O_TRUNC" in flags and self._counts(path):
            yield Call("resize", path)

    def _written(self, name: str, given: list[str], count: int) -> Iterator[Call]:
        target = _descriptor(given[0])
        data = _text(given[1])[:count]
        if data.startswith(MARK):
            yield Call("mark", data.removeprefix(MARK).strip())
            return
        offset = int(given[3]) if name == "pwrite64" else self._positions.get(target.number, 0)
        if name == "write":
            self._positions[target.number] = offset + count
        if self._counts(target.path):
            yield Call("write", target.path or b"", offset=offset, data=data)

    def _of(self, kind: Kind, path: bytes, to: bytes = b"") -> Iterator[Call]:
        if self._counts(path) or self._counts(to):
            yield Call(kind, path, to)

    def _counts(self, path: bytes | None) -> bool:
        return path is not None and os.path.join(path, b"").startswith(self._roots)


def _paths(given: list[str]) -> list[bytes]:
    """The paths among the arguments, each joined to the descriptor of the folder before it."""
    found, folder = [], b""
    for argument in given:
        if argument.startswith('"'):
            found.append(os.path.normpath(os.path.join(folder, _text(argument))))
            folder = b""
        elif _DESCRIPTOR.match(argument):
            folder = _descriptor(argument).path or b""
    return found


def _descriptor(text: str) -> _Descriptor:
    if text.isdigit():
        return _Descriptor(int(text), None)
    found = _DESCRIPTOR.match(text)
    if found is None:
        raise NotUnderstood(text[:200])
    number = -1 if found[1] == "AT_FDCWD" else int(found[1])
    return _Descriptor(number, None if found[3] else _plain(found[2]))


def _text(text: str) -> bytes:
    found = _TEXT.match(text)
    if found is None:
        raise NotUnderstood(f"not a whole text: {text[:200]}")
    return _plain(found[1])


def _plain(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))
