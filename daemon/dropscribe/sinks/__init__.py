"""Where notices go: a command, a webhook. What they have in common is owned by their caller, `notify`."""

from typing import Protocol

from dropscribe.errors import DropscribeError
from dropscribe.ledger.notices import Message


class NotTold(DropscribeError):
    """The message was not taken. `its_own`: for a reason that may be this message's alone, so others may go first."""

    def __init__(self, why: str, its_own: bool = False, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.its_own = its_own
        self.retry_after = retry_after


class Sink(Protocol):
    """One receiver."""

    name: str
    """As the ledger knows it."""

    async def tell(self, message: Message, body: bytes) -> None:
        """Return when the receiver has taken the message. Raises NotTold; cancelled, it leaves nothing running."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...
