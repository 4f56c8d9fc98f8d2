"""Whatever comes from outside is a value or its reader's own error: no other exception, and no standstill.

A small share runs with the fast tests, the same each time; `make fuzz EXAMPLES=20000` tries as many of each, and new ones
each time. What was found stays in `parsers` by name.
"""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.parsers import Files, Parser, parsers

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


always_the_same = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


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


def test_the_strategies_reach_values_and_errors_of_every_kind() -> None:
    """Else they would prove nothing."""
    seen: dict[str, set[str]] = {name: set() for name in PARSERS}
    for name in ("configuration", "answer to a query", "page of the task list", "result", "error file"):

        @settings(
            max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(PARSERS[name].inputs, st.just(name))
        def attempt(value: Any, name: str) -> None:
            try:
                PARSERS[name].read(value)
            except PARSERS[name].errors as error:
                seen[name].add(type(error).__name__)
            else:
                seen[name].add("value")

        attempt()

    assert "value" in seen["answer to a query"] and "Unreadable" in seen["answer to a query"]
    assert "value" in seen["page of the task list"] and "Unreadable" in seen["page of the task list"]
    assert "value" in seen["result"] and "UnusableResult" in seen["result"]
    assert seen["configuration"] and seen["error file"] == {"value"}
