"""A house with a real ledger, scopes and a clock of the test's own, for the rooms beside the flow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from clocks import FakeClock
from dropscribe.clock import Clock
from dropscribe.config import load
from dropscribe.house import House
from dropscribe.ledger import Ledger, upkeep
from dropscribe.scopes import Scopes

CONFIG = """
model_studio: {endpoint: "http://127.0.0.1:9", api_key: sk-secret}
storage: {bucket: sandbox, region: cn-beijing, endpoint: "http://127.0.0.1:9", access_key_id: id, access_key_secret: s}
inboxes: [{name: talks, inbox: inbox}]
"""


@contextmanager
def furnished(root: Path, clock: Clock | None = None, **settings: Any) -> Iterator[House]:
    """Without store and recogniser; `settings` take the place of whole sections."""
    (root / "config.yaml").write_text(CONFIG)
    found = replace(load(root / "config.yaml", {}), **settings)
    time = clock or FakeClock()
    ledger = Ledger(root / "state")
    scopes = Scopes(
        time,
        5.0,
        300.0,
        lambda scope: ledger.do(upkeep.open_scope, scope),
        lambda name: ledger.do(upkeep.close_scope, name),
    )
    nobody = cast(Any, None)
    inboxes = {inbox.name: inbox for inbox in found.inboxes}
    try:
        yield House(found, inboxes, ledger, nobody, nobody, scopes, time, nobody, str)
    finally:
        ledger.close()
