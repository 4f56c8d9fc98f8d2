"""docs/troubles.md holds a row for each trouble that is tested, and no other."""

import os
import re
from pathlib import Path

import pytest

from troubles.table import DOCUMENT, ELSEWHERE, WRITE, Row

pytestmark = pytest.mark.skipif(WRITE in os.environ, reason="the document is being written")
TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"`([a-z_/]+\.py)::(\w+)(?:\[[^`]*\])?` \|$", re.MULTILINE)


def named_in_the_document() -> set[tuple[str, str]]:
    return set(NAMED.findall(DOCUMENT.read_text()))


def test_every_test_that_the_document_names_exists() -> None:
    missing = [
        (path, name)
        for path, name in named_in_the_document()
        if not re.search(rf"def {name}\(", (TESTS / path).read_text())
    ]
    assert missing == []


def test_every_trouble_is_in_the_document() -> None:
    modules = Path(__file__).parent.glob("test_*.py")
    written = {
        (f"troubles/{module.name}", name)
        for module in modules
        if module.name != Path(__file__).name
        for name in re.findall(r"^async def (test_\w+)\(", module.read_text(), re.MULTILINE)
    }
    assert written - named_in_the_document() == set()


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: row.test)
def test_what_tests_with_real_processes_prove_is_told_as_well(row: Row) -> None:
    assert row.text() in DOCUMENT.read_text()
