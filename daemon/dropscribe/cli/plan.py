"""`dropscribe plan`: hours, bytes and price of what would be paid for, before anything is."""

import os
import time
from pathlib import Path

import click

from dropscribe.allowance import Balance, Limit, limits_now, windows
from dropscribe.cli.options import config_option, settings_for
from dropscribe.cli.paths import ANY_PATH
from dropscribe.cli.places import own_folders, places_of
from dropscribe.cli.say import say, say_json
from dropscribe.config.settings import InboxSettings, Settings
from dropscribe.durations import Durations
from dropscribe.ledger import beside, spending
from dropscribe.names import display
from dropscribe.prices import price_list
from dropscribe.quote import Quote, lines, quote, to_json
from dropscribe.quoting import Surveyor
from dropscribe.story_text import size_text


@click.command()
@config_option
@click.option(
    "--inbox", metavar="NAME", help="For a PATH that lies in no inbox: as if dropped there (default: the first)."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=ANY_PATH)
@click.pass_context
def plan(
    context: click.Context, config: Path | None, inbox: str | None, as_json: bool, paths: tuple[bytes, ...]
) -> None:
    """Show files, hours, bytes and price of what would be paid for; spend nothing.

    Without PATH: what lies in the inboxes. PATH is a file or a folder, in an inbox or not dropped yet. What is
    recognised already, with the same model and settings, costs nothing and is left out. No daemon has to run, no
    service is asked.

    \b
    Examples:
      dropscribe plan
      dropscribe plan --inbox meetings ~/recordings
    """
    settings = settings_for(context, config, keyless=True)
    elsewhere = _inbox_named(settings, inbox)
    durations = Durations()
    try:
        with beside.reading(settings.state) as connection:
            surveyor = Surveyor(connection, durations, own_folders(settings))
            _add_all(surveyor, settings, paths, elsewhere)
            looked = surveyor.looked()
            used = 0.0 if connection is None else spending.usage(connection, 0.0).reserved
            balances = tuple(
                Balance(limit, used + (0.0 if connection is None else spending.spent_since(connection, limit.since)))
                for limit in _limits(settings)
            )
    finally:
        durations.close()
    prices = price_list(settings.model_studio.endpoint, settings.prices.currency, settings.prices.per_hour)
    told = quote(looked.items, looked.known, looked.copies, looked.not_taken, prices, balances)
    _say(told, as_json)


def _say(told: Quote, as_json: bool) -> None:
    if as_json:
        say_json(to_json(told))
        return
    for line in lines(told, size_text):
        say(line)


def _limits(settings: Settings) -> tuple[Limit, ...]:
    limits = settings.limits
    return limits_now(limits.hours_per_day, limits.hours_per_month, windows(time.time()))


def _inbox_named(settings: Settings, name: str | None) -> InboxSettings:
    for inbox in settings.inboxes:
        if name in (None, inbox.name):
            return inbox
    names = ", ".join(inbox.name for inbox in settings.inboxes)
    raise click.UsageError(f"there is no inbox called {name}; there are {names}")


def _add_all(surveyor: Surveyor, settings: Settings, paths: tuple[bytes, ...], elsewhere: InboxSettings) -> None:
    if not paths:
        for inbox in settings.inboxes:
            surveyor.add_inbox(inbox)
    for path in paths:
        try:
            surveyor.add_path(_inbox_of(settings, path) or elsewhere, path)
        except OSError as error:
            raise click.ClickException(f"{display(path)}: {error.strerror or error}") from error


def _inbox_of(settings: Settings, path: bytes) -> InboxSettings | None:
    """The inbox that a path lies in, or is."""
    for place in places_of(settings, path):
        if place.kind == "inbox":
            return place.inbox
    whole = os.path.realpath(path)
    return next((one for one in settings.inboxes if os.path.realpath(os.fsencode(one.inbox)) == whole), None)
