"""What dropscribe is built on is listed with its licence, whole and as the packages say it themselves."""

import re
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "docs/security.md").read_text("utf-8")
TABLE = re.split(r"^## ", PAGE, flags=re.MULTILINE)[4]
LISTED = dict(re.findall(r"^\| ([a-z0-9-]+) \| ([A-Za-z0-9. -]+) \|$", TABLE.split("| --- | --- |")[1], re.MULTILINE))
EXTRAS = ("", "cjk", "sandbox")
FREELY = frozenset(
    ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"]
)
"""Licences under which a package may be used by a program that is under MIT."""
IN_OTHER_WORDS = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD-2-Clause",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, extras: Iterable[str], found: set[str]) -> set[str]:
    """All that is installed with a package, itself included."""
    if normal(name) not in found:
        found.add(normal(name))
        for line in distribution(name).requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras):
                needed(wanted.name, [""], found)
    return found


NEEDED = needed("dropscribe", EXTRAS, set()) - {"dropscribe"}


def said_by(name: str) -> str:
    """The licence as the package's own metadata has it."""
    facts = distribution(name).metadata
    words = facts.get("License-Expression") or facts.get("License")
    if not words:
        [classifier] = [
            line for line in facts.get_all("Classifier") or () if line.startswith("License :: OSI Approved")
        ]
        words = classifier.rpartition(" :: ")[2]
    return IN_OTHER_WORDS.get(words, words)


def test_everything_that_is_installed_with_it_is_listed() -> None:
    assert set(LISTED) >= NEEDED


def test_each_licence_is_the_one_that_the_package_names() -> None:
    assert {name: said_by(name) for name in NEEDED} == {name: LISTED[name] for name in NEEDED}


def test_all_of_it_may_be_used_by_a_program_under_mit() -> None:
    parts = {part for licence in LISTED.values() for part in re.split(r" AND | OR ", licence)}

    assert parts <= FREELY


def test_every_version_is_pinned_and_nothing_is_listed_that_is_not() -> None:
    pinned = {normal(line.split("==")[0]) for line in (REPOSITORY / "constraints.txt").read_text().splitlines()}

    assert pinned >= NEEDED | set(LISTED)
