"""`run --once` on a terminal: a bar below the log. The only home of rich.

Log lines are printed by the same console, above the bar, so that neither tears the other.
"""

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncIterator, Mapping
from time import monotonic, time
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from dropscribe.ledger import Ledger, stories, tallies
from dropscribe.progress import Progress, details, ending, headline, troubles

EVERY = 0.5
WIDEST_BAR = 30


def is_wanted(once: bool, log_format: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether somebody looks: a terminal that can move its cursor, and logs for people."""
    return once and log_format != "json" and stream.isatty() and environ.get("TERM", "dumb") != "dumb"


class LogLines(io.TextIOBase):
    """Where the log is written while a bar is shown."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, text: str) -> int:
        self._console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)
        return len(text)

    def isatty(self) -> bool:
        return True


class ProgressView:
    """The bar, from `with` to its end."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str] | None = None) -> None:
        self.console = Console(file=stream, stderr=True, _environ=os.environ if environ is None else environ)
        self.log_stream: TextIO = LogLines(self.console)  # type: ignore[assignment]  # as much of one as logs needs
        self._live = Live(console=self.console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._live.transient = True
        self._held = 0.0

    @contextlib.asynccontextmanager
    async def following(self, ledger: Ledger) -> AsyncIterator[None]:
        """Show what the ledger says, twice a second, while the body runs."""
        self._began, self._since = monotonic(), time()
        follower = asyncio.create_task(self._follow(ledger))
        self._live.start()
        try:
            yield
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
            with contextlib.suppress(OSError):  # the terminal was closed meanwhile
                self._live.stop()

    def conclude(self, connection: Connection | None) -> None:
        """One line that stays."""
        if connection is None:
            return
        with contextlib.suppress(OSError):
            self.console.print(Text(ending(self._progress(connection))), soft_wrap=True)

    async def _follow(self, ledger: Ledger) -> None:
        with contextlib.suppress(RuntimeError):  # the ledger is closed: the run has ended
            while True:
                began = monotonic()
                progress = await ledger.look(self._progress)
                self.show(progress)
                await asyncio.sleep(max(EVERY, (monotonic() - began) * 20))  # counting a huge ledger is not free
                self._held += monotonic() - began if progress.scopes else 0.0

    def _progress(self, connection: Connection) -> Progress:
        tally = tallies.tally(connection, self._since)
        return Progress(tally, monotonic() - self._began, tuple(stories.open_scopes(connection)), self._held)

    def show(self, progress: Progress) -> None:
        """Bar and headline, then the details, and below them what holds the run up."""
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=1.0, completed=progress.done, width=min(WIDEST_BAR, self.console.width // 4))
        line.add_row(bar, Text(headline(progress), overflow="ellipsis", no_wrap=True))
        below = [Text(said, overflow="ellipsis", no_wrap=True) for said in [details(progress)] if said]
        below += [Text(trouble, style="yellow") for trouble in troubles(progress.scopes)]
        self._live.update(Group(line, *below), refresh=True)
