"""What every room of the flow shares. One place builds it (`service`); a reload changes settings, inboxes and store."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dropscribe.clock import Clock
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.folders import FolderGuard
from dropscribe.ledger import Ledger
from dropscribe.remote.ports import ObjectStore, Recogniser
from dropscribe.scopes import Scopes


@dataclass
class House:
    """Rooms read `settings`, `inboxes` and `store` anew each time they need them."""

    settings: Settings
    inboxes: dict[str, InboxSettings]
    """By name; an inbox that a reload removed stays here, because its files in flight finish as they began."""
    ledger: Ledger
    store: ObjectStore
    recogniser: Recogniser
    scopes: Scopes
    clock: Clock
    guard: Callable[[Path], FolderGuard]
    clean: Callable[[str], str]
    """A service's words without our secrets, which it may have repeated: before they are written down anywhere."""
    answers: int = 0
    """How many questions about listed tasks have been answered: progress of which the ledger shows nothing."""

    @property
    def key_prefix(self) -> str:
        """What all object keys of this ledger begin with."""
        return f"{self.settings.storage.prefix}{self.ledger.id}/"
