"""Reading a node by the tables: what could be read stays usable, so that faults between values are found as well."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dropscribe.config.reading import Reported, Wrong, is_nothing
from dropscribe.config.schema import Derived, Entries, Key, Section, as_node
from dropscribe.config.wording import join, listed, nearest
from dropscribe.config.yaml_lines import Broken, Items, Node, Scalar, Table
from dropscribe.errors import Problem


@dataclass
class Report:
    """All that there is to say about a configuration."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def fault(self, path: str, line: int | None, message: str) -> None:
        self.problems.append(Problem(path, line, message))

    def warn(self, path: str, line: int | None, message: str) -> None:
        self.warnings.append(str(Problem(path, line, message)))

    def wrong(self, path: str, line: int, wrong: Wrong, origin: str = "") -> None:
        for flaw in wrong.flaws:
            self.fault(path + flaw.suffix, flaw.line or line, origin + flaw.message)


@dataclass
class Draft:
    """One section. `values` holds what could be read or has a default; a key that is faulty is missing there."""

    path: str
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    """The lines of the keys that stand in the file, faulty or not."""
    faulty: set[str] = field(default_factory=set)
    broken: bool = False
    """The section itself could not be read: its keys are unknown rather than missing."""

    def get(self, key: str) -> Any:
        """The value, or None where it is faulty, absent or null."""
        return self.values.get(key)

    def section(self, key: str) -> "Draft":
        found: Draft = self.values[key]
        return found

    def at(self, key: str) -> str:
        return join(self.path, key)

    def line_of(self, key: str) -> int:
        """The key's line, or its section's where it is not written."""
        return self.written.get(key, self.line)

    def lacks(self, key: str) -> bool:
        """Neither written nor given by the environment (rather than faulty, which is reported already)."""
        return not self.broken and key not in self.faulty and self.values.get(key) is None


@dataclass(frozen=True)
class Reading:
    """What a reading needs besides the nodes: relative paths' folder, the environment, where faults go."""

    base: Path
    environ: Mapping[str, str]
    report: Report

    def draft(self, node: Node, entries: Entries, path: str, ignore: frozenset[str] = frozenset()) -> Draft:
        """Read one section; `ignore` names keys that stand there and are read elsewhere."""
        draft = Draft(path, node.line)
        if not isinstance(node, Table):
            self._report_no_table(node, path)
            return _broken(draft, entries)
        self._refuse_unknown(node, entries, path, ignore)
        draft.written.update((key, value.line) for key, value in node.entries.items())
        for entry in entries:
            if isinstance(entry, Section):
                below = node.entries.get(entry.name, Table(node.line))
                draft.values[entry.name] = self.draft(below, entry.keys, draft.at(entry.name))
            else:
                self._value(entry, node, draft)
        return draft

    def drafts(self, node: Node, entries: Entries, path: str) -> list[Draft]:
        """Read a list of sections, which must not be empty."""
        right = "right is a list whose items begin with `- inbox: ...`"
        if isinstance(node, Broken):
            return []
        if not isinstance(node, Items) or not node.items:
            message = "is empty" if isinstance(node, Items) or is_nothing(node) else "is not a list"
            self.report.fault(path, node.line, f"{message}; {right}")
            return []
        return [self.draft(item, entries, f"{path}[{i}]") for i, item in enumerate(node.items)]

    def _report_no_table(self, node: Node, path: str) -> None:
        if isinstance(node, Broken):
            return
        empty = "is empty; write its keys below it, or leave it out"
        other = "is no mapping; right is `key: value`, one a line, as in the example file"
        self.report.fault(path, node.line, empty if is_nothing(node) else other)

    def _refuse_unknown(self, table: Table, entries: Entries, path: str, ignore: frozenset[str]) -> None:
        known = {entry.name for entry in entries} | ignore
        for key, value in table.entries.items():
            if key not in known:
                near = nearest(key, known) or f"; known here are {listed(sorted(known))}"
                self.report.fault(join(path, key), value.line, f"is not a known key{near}")

    def _value(self, key: Key, table: Table, draft: Draft) -> None:
        node = self._node(key, table, draft)
        if node is None:
            return
        try:
            draft.values[key.name] = self._absolute(key.read(node))
        except Wrong as wrong:
            draft.faulty.add(key.name)
            from_env = key.env and node is not table.entries.get(key.name)
            origin = f"(from the environment variable {key.env}) " if from_env else ""
            self.report.wrong(draft.at(key.name), node.line, wrong, origin)
        except Reported:
            draft.faulty.add(key.name)

    def _node(self, key: Key, table: Table, draft: Draft) -> Node | None:
        """What is to be read: what is written, else the environment, else the default."""
        node = table.entries.get(key.name)
        if key.env and (node is None or is_nothing(node)):
            return self._from_environment(key.env, draft.line_of(key.name))
        if node is not None or isinstance(key.default, Derived):
            return node
        if key.default is None:
            message = f"is missing; right is, for instance, `{key.name}: {key.example}`"
            self.report.fault(draft.at(key.name), draft.line, message)
            draft.faulty.add(key.name)
            return None
        return as_node(key.default, draft.line)

    def _from_environment(self, name: str, line: int) -> Node | None:
        text = self.environ.get(name)
        return Scalar(line, text, written=f"${{{name}}}") if text else None

    def _absolute(self, value: Any) -> Any:
        return absolute(self.base, value) if isinstance(value, Path) else value


def _broken(draft: Draft, entries: Entries) -> Draft:
    draft.broken = True
    for entry in entries:
        if isinstance(entry, Section):
            draft.values[entry.name] = _broken(Draft(draft.at(entry.name), draft.line), entry.keys)
    return draft


def absolute(base: Path, path: Path) -> Path:
    """`path` from `base`, without `..`: these are followed as the kernel would, through symlinks."""
    whole = base / path
    parts = whole.parts
    if ".." not in parts:
        return whole
    last = len(parts) - parts[::-1].index("..")
    return Path(os.path.realpath(Path(*parts[:last])), *parts[last:])
