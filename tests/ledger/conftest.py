from collections.abc import Iterator

import pytest

from ledger.desk import Desk, open_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    opened = open_desk()
    yield opened
    opened.engine.dispose()
