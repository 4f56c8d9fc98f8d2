"""`dropscribe retry`: failed files go back into their inbox. It moves files and never writes the ledger."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection

from dropscribe.cli.exits import ExitCode, of_the_system
from dropscribe.cli.options import config_option, settings_for
from dropscribe.cli.paths import ANY_PATH
from dropscribe.cli.places import meant
from dropscribe.cli.say import say
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.disk.moving import hide, place_source, put_back
from dropscribe.disk.placing import sha256_within
from dropscribe.disk.sources import GONE, look_at, parent_of, seen_from, stat_within
from dropscribe.dispose import private_name
from dropscribe.errors import DropscribeError, SourceChanged
from dropscribe.file_state import state_of
from dropscribe.ledger import beside, is_held, reasons, stories, upkeep
from dropscribe.ledger.stories import FileRow
from dropscribe.model import Look
from dropscribe.names import display
from dropscribe.naming import numbers
from dropscribe.placement import remove_reason
from dropscribe.story import still_lies
from dropscribe.survey import folder_trouble


class CannotRetry(DropscribeError):
    """Why one file cannot be tried again."""


@dataclass(frozen=True)
class Bench:
    """What a retry needs to know."""

    settings: Settings
    connection: Connection
    ledger_id: str

    def inbox_of(self, row: FileRow) -> InboxSettings:
        """Raises CannotRetry where it is not configured any more."""
        for inbox in self.settings.inboxes:
            if inbox.name == row.inbox:
                return inbox
        raise CannotRetry(f"its inbox {row.inbox} is not in the configuration any more")


@click.command()
@config_option
@click.option("--all", "every", is_flag=True, help="Every failed file.")
@click.option("--code", metavar="CODE", help="Every file that failed with this code.")
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=ANY_PATH)
@click.pass_context
def retry(context: click.Context, config: Path | None, every: bool, code: str | None, paths: tuple[bytes, ...]) -> int:
    """Put failed files back into their inbox, where the daemon takes them again.

    PATH is the file in the failed folder, or in the inbox where `done: keep` leaves sources there. Exits 1 if one of
    them is unknown or cannot be put back.

    \b
    Examples:
      dropscribe retry /srv/dropscribe/meetings/failed/talk.mp3
      dropscribe retry --code DECODE_ERROR
      dropscribe retry --all
    """
    if [every, code is not None, bool(paths)].count(True) != 1:
        raise click.UsageError("Say what to try again: PATH..., or --all, or --code CODE.")
    settings = settings_for(context, config, keyless=True)
    with beside.reading(settings.state) as connection:
        if connection is None:
            raise click.ClickException(f"There is no ledger in {settings.state} yet, so no file has failed.")
        bench = Bench(settings, connection, upkeep.read_meta(connection, "ledger_id") or "")
        chosen = _named(bench, paths) if paths else _failed(bench, code)
        refused = _retry_all(bench, chosen)
    if not chosen:
        say("No failed file is there to be tried again.")
    if len(chosen) > refused and not is_held(settings.state):
        say("The daemon is not running; it takes them when it runs.")
    return ExitCode.NOT_WELL if refused else ExitCode.WELL


def _failed(bench: Bench, code: str | None) -> list[tuple[str, FileRow | None]]:
    rows = [row for row in stories.failed_files(bench.connection) if still_lies(row, os.path.lexists)]
    chosen = [row for row in rows if code is None or row.code == code]
    if code is not None and not chosen:
        others = ", ".join(sorted({row.code for row in rows if row.code})) or "none"
        raise click.ClickException(f"No failed file has the code {code}. Codes of failed files: {others}.")
    return [(_name(row), row) for row in reversed(chosen)]


def _named(bench: Bench, paths: Iterable[bytes]) -> list[tuple[str, FileRow | None]]:
    """Each path with the newest failed file that it names; failing that, with the newest file."""
    found: list[tuple[str, FileRow | None]] = []
    for path in paths:
        _, rows = meant(bench.settings, bench.connection, path)
        failed = [row for row in rows if row.state == "failed" and still_lies(row, os.path.lexists)]
        found.append((display(path), next(iter([*failed, *rows]), None)))
    return found


def _retry_all(bench: Bench, chosen: Sequence[tuple[str, FileRow | None]]) -> int:
    """Return how many could not be tried again."""
    refused = 0
    for name, row in chosen:
        try:
            say(_retry(bench, row))
        except (DropscribeError, OSError) as error:
            why = of_the_system(error) if isinstance(error, OSError) else str(error)
            say(f"{name}: {why}", err=True)
            refused += 1
    return refused


def _retry(bench: Bench, row: FileRow | None) -> str:
    """Do it; return what was done. Raises CannotRetry, OSError."""
    if row is None:
        raise CannotRetry("the ledger knows no file here; to have it transcribed, move it into an inbox")
    if row.state == "failing":
        raise CannotRetry("it is just failing and its error file is being written; try again in a moment")
    if row.state != "failed":
        raise CannotRetry(f"it did not fail: it is {state_of(row)}")
    inbox = bench.inbox_of(row)
    for folder in (inbox.inbox, inbox.failed):
        if trouble := folder_trouble(bench.connection, folder):
            raise CannotRetry(f"{trouble.message}; {trouble.remedy}")
    if row.moved_to is None:
        return _release(bench, inbox, row)
    if not os.path.lexists(row.moved_to) and (since := _since(bench, inbox, row)):
        raise CannotRetry(since)
    arrived = _move_back(bench, inbox, row, row.moved_to)
    stays = "" if _remove_error_file(bench, inbox, row) else f"; {_edited(row)} and stays"
    return f"{_name(row)} goes back into its inbox{_as(row.path, arrived)}{stays}"


def _since(bench: Bench, inbox: InboxSettings, row: FileRow) -> str | None:
    """What became of it where somebody has put it back already."""
    later = [one for one in stories.files_at(bench.connection, row.inbox, row.path) if one.media_id > row.media_id]
    if later:
        return f"it was tried again since: it is {state_of(later[0])}"
    look = look_at(inbox.inbox, row.path)
    if isinstance(look, Look) and look.size == row.size:
        running = is_held(bench.settings.state)
        when = "the daemon takes it when it has settled" if running else "it is taken when the daemon runs"
        return f"it lies in its inbox again already; {when}"
    return None


def _as(wanted: bytes, arrived: bytes) -> str:
    return "" if wanted == arrived else f" as {display(arrived)}, because another file has its name there"


def _release(bench: Bench, inbox: InboxSettings, row: FileRow) -> str:
    """The source stayed in the inbox: without its error file it is taken again."""
    if not isinstance(look_at(inbox.inbox, row.path), Look):
        raise CannotRetry("its source does not lie in the inbox any more")
    if not _remove_error_file(bench, inbox, row):
        raise CannotRetry(f"{_edited(row)}: move it away, then the file is taken again from where it lies")
    _knock(inbox.inbox, row.path)
    return f"{_name(row)} is taken again from where it lies"


def _knock(root: Path, path: bytes) -> None:
    """Closing a file that was open for writing is an event for the daemon; else it would wait for its next rescan."""
    with contextlib.suppress(OSError), parent_of(root, path) as (folder, name):
        os.close(os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder))


def _remove_error_file(bench: Bench, inbox: InboxSettings, row: FileRow) -> bool:
    """Whether none stands any more; one that a person has written into, or put there, is theirs and stays."""
    reason = reasons.of_file(bench.connection, row.media_id)
    if reason is None:
        return True
    try:
        return remove_reason(inbox.failed, reason)
    except FileNotFoundError:
        return True


def _edited(row: FileRow) -> str:
    return f"its error file {display(row.error_file or b'')} is not as dropscribe wrote it"


def _move_back(bench: Bench, inbox: InboxSettings, row: FileRow, source: bytes) -> bytes:
    """Hide the source, then place it under its first free name in the inbox; return that. Goes on after a crash."""
    root, within = seen_from(inbox.failed, source)
    name = private_name(row.media_id, bench.ledger_id)
    private = os.path.join(os.path.dirname(within), name)
    with contextlib.suppress(FileExistsError):
        try:
            hide(root, within, name)
        except (FileNotFoundError, NotADirectoryError) as error:
            if look_at(root, private) == GONE:
                where = display(source)
                raise CannotRetry(f"its source is not at {where} any more; drop it into the inbox again") from error
    try:
        return _place(root, private, inbox, row.path)
    except BaseException:
        _give_back(root, private, within)
        raise


def _place(root: Path, private: bytes, inbox: InboxSettings, path: bytes) -> bytes:
    look = look_at(root, private)
    if not isinstance(look, Look):
        raise CannotRetry(f"what lies in the failed folder under its name is no file: {look.sentence}")
    for name in numbers(path):
        with contextlib.suppress(FileExistsError):
            _place_at(root, private, inbox.inbox, name, look)
            return name
    raise AssertionError("the numbers do not end")


def _place_at(root: Path, private: bytes, target: Path, name: bytes, look: Look) -> None:
    """Within a file system the content need not be read; where it has to be copied, its sum is compared."""
    try:
        same = os.stat(target).st_dev == stat_within(root, private).st_dev
        place_source(root, private, target, name, look, "" if same else _sum_of(root, private, look))
    except SourceChanged:  # one device and yet two mounts: it had to be copied after all
        place_source(root, private, target, name, look, _sum_of(root, private, look))


def _sum_of(root: Path, private: bytes, look: Look) -> str:
    return sha256_within(root, private, look.size) or ""


def _give_back(root: Path, private: bytes, path: bytes) -> None:
    """Its name again, or the next free one; what cannot be undone now, the next try goes on with."""
    for candidate in numbers(path):
        with contextlib.suppress(FileExistsError):
            with contextlib.suppress(FileNotFoundError):
                put_back(root, private, candidate)
            return


def _name(row: FileRow) -> str:
    return f"{row.inbox}: {display(row.path)}"
