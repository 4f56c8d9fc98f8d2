"""`dropscribe forget`: removes what the state folder keeps of a file, or of where a folder lay; with `--unfinished` it
gives up what is under way and can never finish (see `giving_up`).
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from sqlalchemy import Connection

from dropscribe.cli.exits import ExitCode
from dropscribe.cli.giving_up import Said, give_up, still_travels
from dropscribe.cli.options import config_option, settings_for
from dropscribe.cli.paths import ANY_PATH
from dropscribe.cli.places import folders_named, meant
from dropscribe.cli.say import say
from dropscribe.config.settings import Settings
from dropscribe.errors import StateHeld
from dropscribe.file_state import state_of
from dropscribe.ledger import LEDGER_FILE, Ledger, forgetting, stories
from dropscribe.ledger.schema import OPEN_MEDIA
from dropscribe.ledger.stories import FileRow
from dropscribe.moments import moment
from dropscribe.names import display


@click.command()
@config_option
@click.option("--unfinished", is_flag=True, help="Give up files under way that can never finish; keep their story.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=ANY_PATH)
@click.pass_context
def forget(context: click.Context, config: Path | None, unfinished: bool, paths: tuple[bytes, ...]) -> int:
    """Remove what the state folder keeps of a file: results, names, story. No file outside it is touched.

    PATH names a file as for `status`. A folder of the configuration may be named as well: where it lay is forgotten, so
    that it may lie on another disk from now on. The daemon must be stopped, because the state folder is written.

    A file under way is not forgotten. One that can never finish, because its inbox is gone for good or the account that
    submitted it is lost, is given up with --unfinished; a folder then means all that is under way of it. Nothing is
    sent for it any more; what was sent is paid all the same. Its source stays where it is: where that is an inbox of
    the configuration, it would be taken again, so move it away first.

    \b
    Examples:
      dropscribe forget /srv/dropscribe/meetings/done/private.mp3
      dropscribe forget /mnt/new-disk/inbox
      dropscribe forget --unfinished /mnt/lost-disk/inbox
    """
    settings = settings_for(context, config, keyless=True)
    if not os.path.lexists(settings.state / LEDGER_FILE):
        raise click.ClickException(f"There is no ledger in {settings.state} yet, so nothing is kept.")
    ledger = _open(settings.state)
    try:
        act = give_up if unfinished else _forget
        outcomes = [said for path in paths for said in act(ledger, settings, path)]
    finally:
        ledger.close()
    for outcome in outcomes:
        say(outcome.text, err=not outcome.done)
    return ExitCode.WELL if all(outcome.done for outcome in outcomes) else ExitCode.NOT_WELL


def _open(state: Path) -> Ledger:
    try:
        return Ledger(state)
    except StateHeld:
        raise StateHeld(
            f"a daemon holds the state folder {state}, and only one program may write there: stop it, then forget"
        ) from None


def _forget(ledger: Ledger, settings: Settings, path: bytes) -> list[Said]:
    rows = ledger.look_now(_meant, settings, path)
    return [_forget_files(ledger, path, rows) if rows else _forget_folders(ledger, settings, path)]


def _meant(connection: Connection, settings: Settings, path: bytes) -> list[FileRow]:
    """A path in an inbox means all that were ever taken there; any other path one file, with its earlier tries."""
    places, rows = meant(settings, connection, path)
    inside = {(place.inbox.name, place.relative) for place in places if place.kind == "inbox"}
    found = {row.media_id: row for row in rows}
    for row in rows:
        if (row.inbox, row.path) not in inside:
            found |= {same.media_id: same for same in _tries(connection, row)}
    return list(found.values())


def _tries(connection: Connection, row: FileRow) -> Iterator[FileRow]:
    for other in stories.files_at(connection, row.inbox, row.path):
        if other.sha256 is not None and other.sha256 == row.sha256:
            yield other


def _forget_files(ledger: Ledger, path: bytes, rows: Sequence[FileRow]) -> Said:
    name = display(path)
    for row in rows:
        if row.state in OPEN_MEDIA:
            when = f"it is {state_of(row)}, taken {moment(row.taken_at)}"
            way_out = "let the daemon finish it first, or give it up with --unfinished if it never can be"
            return Said(f"{name}: not forgotten, because {when}; {way_out}")
        if ledger.look_now(still_travels, row):
            why = "it was given up while it was at the service, and an answer that comes would be kept"
            return Said(f"{name}: not forgotten yet, because {why}; try again when that is over, a day later at most")
    ledger.do_now(forgetting.forget_files, [row.media_id for row in rows])
    number = "" if len(rows) == 1 else f" ({len(rows)} entries)"
    return Said(f"{name}: forgotten{number}{_lies_there(rows)}", done=True)


def _lies_there(rows: Sequence[FileRow]) -> str:
    kept = any(row.moved_to is None and row.state in ("delivered", "failed") for row in rows)
    return "; if it lies in its inbox, it is taken as a new file" if kept else ""


def _forget_folders(ledger: Ledger, settings: Settings, path: bytes) -> Said:
    folders = folders_named(settings, path)
    known = [ledger.do_now(forgetting.forget_folder, os.fsencode(folder)) for folder in folders]
    if any(known):
        return Said(f"{display(path)}: where this folder lay is forgotten; where it is found next is right", done=True)
    if folders:
        return Said(f"{display(path)}: nothing was known of where this folder lay")
    return Said(f"{display(path)}: the ledger knows nothing of it")
