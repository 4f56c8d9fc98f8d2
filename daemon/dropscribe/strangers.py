"""What another key submitted and this one cannot see: one scope for all of it, open as long as something is hidden."""

from dropscribe.ledger import Ledger, batches
from dropscribe.ledger.rows import BatchRow
from dropscribe.lost import of_another_account
from dropscribe.model import ACCOUNT
from dropscribe.scopes import Scopes


class Strangers:
    """The batches that are hidden, whether they have a task or their answer was lost."""

    def __init__(self, ledger: Ledger, scopes: Scopes) -> None:
        self._ledger, self._scopes = ledger, scopes
        self._hidden: set[int] = set()
        self._told: set[int] = set()

    @property
    def batches(self) -> frozenset[int]:
        """Ids of those that are hidden now."""
        return frozenset(self._hidden)

    async def hidden(self, row: BatchRow) -> None:
        """This key cannot see what became of it: its files wait, and nothing is bought again.

        Where people gave all of its files up, nobody needs to be told.
        """
        self._hidden.add(row.id)
        if row.id not in self._told and await self._ledger.look(batches.is_wanted, row.id):
            self._told.add(row.id)
            await self._scopes.report(of_another_account(row))

    async def seen(self, batch_id: int) -> None:
        """It is of the same account after all, or settled otherwise."""
        self._hidden.discard(batch_id)
        if batch_id in self._told:
            self._told.discard(batch_id)
            if not self._told:
                await self._scopes.works(ACCOUNT)
