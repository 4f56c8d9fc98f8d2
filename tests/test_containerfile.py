"""The Containerfile as a text: it is built from what is there, runs what is there, and not as root."""

import fnmatch
import json
import re
from pathlib import Path

from dropscribe.cli import COMMANDS

REPOSITORY = Path(__file__).parents[1]


def instructions() -> list[tuple[str, str]]:
    text = (REPOSITORY / "Containerfile").read_text()
    whole = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in whole.splitlines() if line.strip()]


def of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_it_has_only_instructions_that_every_engine_knows() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known


def test_what_it_copies_is_there_and_is_sent_to_the_engine() -> None:
    allowed = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [word for rest in of("COPY") if "--from" not in rest for word in rest.split()[:-1]]
    assert sources
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed)


def test_what_pyproject_needs_for_the_wheel_is_copied() -> None:
    copied = " ".join(of("COPY"))
    for needed in ("pyproject.toml", "README.md", "LICENSE", "daemon", "constraints.txt"):
        assert needed in copied


def test_it_starts_the_daemon_and_not_as_root() -> None:
    [entry], [command] = (json.loads(rest) for rest in of("ENTRYPOINT")), (json.loads(rest) for rest in of("CMD"))
    assert entry == ["dropscribe"] and command[0] in COMMANDS
    assert of("USER") == ["dropscribe"]
    last_from = max(place for place, (name, _) in enumerate(instructions()) if name == "FROM")
    assert ("USER", "dropscribe") in instructions()[last_from:]


def test_its_python_is_one_that_the_package_takes() -> None:
    versions = {tuple(map(int, re.findall(r"\d+", image)[:2])) for image in of("FROM")}
    assert len(versions) == 1 and min(versions) >= (3, 11)
