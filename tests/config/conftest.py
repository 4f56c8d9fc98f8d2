"""A small configuration that is right, and ways to bend it: one place for all tests of the configuration."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dropscribe.config import Settings, load
from dropscribe.errors import Misconfigured, Problem

ENVIRON = {
    "DASHSCOPE_API_KEY": "sk-from-environment",
    "OSS_ACCESS_KEY_ID": "LTAI-from-environment",
    "OSS_ACCESS_KEY_SECRET": "secret-from-environment",
}


@dataclass
class Config:
    """A configuration under construction: keys to YAML text, by the paths that problems name."""

    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))
    keys: dict[str, str] = field(
        default_factory=lambda: {
            "storage.bucket": "my-bucket",
            "storage.region": "cn-beijing",
            "inboxes[0].inbox": "talks/inbox",
        }
    )
    filesystem: str = "ext4"

    @property
    def path(self) -> Path:
        return self.folder / "config.yaml"

    def set(self, path: str, yaml: str) -> "Config":
        self.keys[path] = yaml
        return self

    def without(self, path: str) -> "Config":
        del self.keys[path]
        return self

    def text(self) -> str:
        tree: dict[str, dict[str, str]] = {}
        for path, yaml in self.keys.items():
            section, _, key = path.rpartition(".")
            tree.setdefault(section, {})[key] = yaml
        lines = [f"{key}: {yaml}" for key, yaml in tree.get("", {}).items()]
        for section in (name for name in tree if name and "[" not in name):
            lines += [f"{section}:", *(f"  {key}: {yaml}" for key, yaml in tree[section].items())]
        boxes = [name for name in tree if name.startswith("inboxes[")]
        lines += ["inboxes:"] if boxes else []
        for name in boxes:
            first, *more = (f"{key}: {yaml}" for key, yaml in tree[name].items())
            lines += [f"  - {first}", *(f"    {line}" for line in more)]
        return "\n".join(lines) + "\n"

    def load_text(self, text: str | bytes) -> Settings:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(self.path, self.environ, filesystem_of=lambda _: self.filesystem)

    def load(self) -> Settings:
        return self.load_text(self.text())

    def problems_of(self, text: str | bytes) -> tuple[Problem, ...]:
        with pytest.raises(Misconfigured) as caught:
            self.load_text(text)
        return caught.value.problems

    def problems(self) -> tuple[Problem, ...]:
        return self.problems_of(self.text())

    def problem(self) -> Problem:
        (only,) = self.problems()
        return only

    def messages(self) -> dict[str, str]:
        """Message by path; fails where a path has two problems."""
        problems = self.problems()
        assert len({problem.path for problem in problems}) == len(problems), problems
        return {problem.path: problem.message for problem in problems}

    def line_of(self, key: str) -> int:
        """The line on which `key:` stands in the text."""
        lines = self.text().splitlines()
        return next(n for n, line in enumerate(lines, 1) if line.strip().removeprefix("- ").startswith(f"{key}:"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path.resolve())
