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
