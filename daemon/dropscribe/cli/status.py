"""`dropscribe status`: what is where, what waits and why; or the story of one file."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from dropscribe.cli.desk import Desk
from dropscribe.cli.options import config_option, settings_for
from dropscribe.cli.paths import ANY_PATH
from dropscribe.cli.places import parts_of
from dropscribe.cli.say import say, say_json
from dropscribe.ledger import beside
from dropscribe.names import display
from dropscribe.story import Status
from dropscribe.story_json import to_json
from dropscribe.story_text import Tale, overview, overview_of, tell, told


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("path", required=False, type=ANY_PATH)
@click.pass_context
def status(context: click.Context, config: Path | None, as_json: bool, path: bytes | None) -> None:
    """Show what is where, what waits and why, and what failed; or the story of one file.

    PATH names a file by its path in the inbox, outbox, done or failed folder, or a folder: what is in and below it.
    Works with and without a running daemon, and needs no keys. Exits 1 if PATH is neither on disk nor in the ledger.

    \b
    Examples:
      dropscribe status
      dropscribe status /srv/dropscribe/meetings/outbox/talk.srt
      dropscribe status /srv/dropscribe/meetings/inbox/2026
      dropscribe status --json | jq -r '.files[] | select(.state == "failed") | .path'
    """
    settings = settings_for(context, config, keyless=True)
    with beside.reading(settings.state) as connection:
        desk = Desk(settings, connection)
        if path is None:
            whole = desk.status()
            _say_json(whole) if as_json else _say(overview(whole))
        else:
            _story(desk, path, as_json)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _say_json(status: Status) -> None:
    say_json(to_json(status))


def _story(desk: Desk, path: bytes, as_json: bool) -> None:
    is_folder = os.path.isdir(path)
    found = [] if is_folder and not os.path.islink(path) else list(desk.files_named(path))  # a link stays where it lies
    if not found:
        _folder(desk, path, as_json)
        return
    if as_json:
        views = tuple(one.view if isinstance(one, Tale) else one for one in found)
        _say_json(desk.status(views))
        return
    for number, one in enumerate(found):
        if number:
            say()
        _say(tell(one) if isinstance(one, Tale) else told(one))


def _folder(desk: Desk, path: bytes, as_json: bool) -> None:
    """The counts of a folder and the files in and below it, as those of everything are told. One that is not there any
    more is a folder as long as the ledger knows files of it.
    """
    may_be_one = os.path.isdir(path) or not os.path.lexists(path)
    parts = parts_of(desk.settings, desk.connection, path) if may_be_one else []
    files, counts = desk.below(parts)
    if not (files or (parts and os.path.isdir(path))):
        raise click.ClickException(f"{display(path)} {desk.nowhere(path)}")
    if as_json:
        _say_json(desk.status(files))
    else:
        _say(overview_of(display(os.path.abspath(path)), files, counts))
