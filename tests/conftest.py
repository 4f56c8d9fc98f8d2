"""Every test's exchanges with a sandbox are held against docs/protocol.md: a breach fails the test that it happened in.

Not those of tests/sandbox, which say wrong things on purpose. A test elsewhere that has to do so names the rules that
it breaks: `@pytest.mark.breaks("S4")`.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from contract.judge import Judge
from dropscribe.sandbox import overheard

SANDBOX = Path(__file__).parent / "sandbox"
_JUDGE = pytest.StashKey[Judge]()


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    """What the sandboxes of this test hear and say."""
    yield request.node.stash[_JUDGE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    allowed = {rule for mark in item.iter_markers("breaks") for rule in mark.args}
    item.stash[_JUDGE] = Judge(allowed)
    overheard.observe(item.stash[_JUDGE].hear)
    try:
        return (yield)
    finally:
        overheard.observe(None)
        del item.stash[_JUDGE]  # items live until the session ends; what was said need not


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    outcome = yield
    if not item.path.is_relative_to(SANDBOX):
        item.stash[_JUDGE].assert_nothing_was_broken()
    return outcome
