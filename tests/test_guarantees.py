"""GUARANTEES.md: every test that it names exists, and no promise is without a proof and without its end."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "GUARANTEES.md").read_text("utf-8")
_, *PROMISES = re.split(r"^## ", PAGE, flags=re.MULTILINE)
NAMED = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("module", "function"), NAMED)
def test_every_test_that_is_named_exists(module: str, function: str) -> None:
    text = (TESTS.parent / module if module.startswith("tests/") else TESTS / module).read_text("utf-8")

    assert not function or re.search(rf"^(?:async )?def {function}\(", text, re.MULTILINE)


def test_there_are_nine_promises() -> None:
    assert [promise.partition(".")[0] for promise in PROMISES] == [str(n) for n in range(1, 10)]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.splitlines()[0])
def test_each_promise_has_its_proof_and_its_end(promise: str) -> None:
    proof, _, end = promise.partition("Does not hold:\n- ")

    assert re.search(r"\.py::test_\w+`", proof)
    assert end
