"""Every journey has a sandbox that answers at once and a folder with a configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.sandbox import RunningSandbox, running_sandbox
from lab import AT_ONCE, Lab


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(AT_ONCE) as running:
        yield running


@pytest.fixture
def lab(tmp_path: Path, sandbox: RunningSandbox) -> Lab:
    return Lab(tmp_path, sandbox, forked=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a journey: `make fast` leaves it out."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.journey)
