"""Every trouble has a sandbox whose clock the test moves, and a configuration with the waits that a user has."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.sandbox import RunningSandbox, SandboxSettings, running_sandbox
from lab import Lab
from troubles.table import WRITE, is_whole, write

SERVICES = SandboxSettings(enforce_rates=False, signed_by_real_time=True)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SERVICES) as running:
        yield running


@pytest.fixture
def lab(tmp_path: Path, sandbox: RunningSandbox) -> Lab:
    return Lab(tmp_path, sandbox, quick=False)


def pytest_sessionfinish(exitstatus: int) -> None:
    if os.environ.get(WRITE) and exitstatus == 0 and is_whole():
        write()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a trouble: it waits for a real daemon, though not for hours."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.trouble)
