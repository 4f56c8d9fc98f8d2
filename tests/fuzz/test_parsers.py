"""Whatever comes from outside is a value or its reader's own error: no other exception, and no standstill.

A small share runs with the fast tests, the same each time; `make fuzz EXAMPLES=20000` tries as many of each, and new
ones each time. What was found stays in `parsers` by name.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from fuzz.parsers import CONFIG, PAGE, PARTS, RESULT, TASK, Files, Parser, parsers

EXAMPLES = int(os.environ.get("DROPSCRIBE_FUZZ", "0"))
FEW = 20
LONGEST = 5.0
"""Seconds of processor time for one input, of which none is above 250 KB; nearly all take thousandths."""
FILES = Files()
PARSERS = parsers(FILES)
FOUND = [(name, case) for name, parser in PARSERS.items() for case in parser.found]


@pytest.fixture(scope="module", autouse=True)
def put_away() -> Iterator[None]:
    yield
    FILES.close()


def give(parser: Parser, value: Any) -> None:
    began = time.process_time()
    try:
        parser.read(value)
    except parser.errors as error:
        str(error)
    assert time.process_time() - began < LONGEST


@pytest.mark.parametrize("name", PARSERS)
def test_any_input_is_a_value_or_an_error_that_is_told(name: str) -> None:
    parser = PARSERS[name]

    @settings(
        max_examples=max(3, int((EXAMPLES or FEW) * parser.share)),
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(parser.inputs)
    def attempt(value: Any) -> None:
        give(parser, value)

    attempt()


@pytest.mark.parametrize(("name", "case"), FOUND)
def test_what_was_found_once_is_not_found_again(name: str, case: str) -> None:
    give(PARSERS[name], PARSERS[name].found[case])


RIGHT: dict[str, Any] = {
    "configuration": yaml.safe_dump(CONFIG),
    "answer to a query": json.dumps(TASK).encode(),
    "page of the task list": json.dumps(PAGE).encode(),
    "result": json.dumps(RESULT).encode(),
    "list of the storage": PARTS,
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_the_inputs_are_made_from_is_read(name: str) -> None:
    """Else they would be near to nothing."""
    assert PARSERS[name].read(RIGHT[name])
