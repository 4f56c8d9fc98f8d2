"""`dropscribe check`: whether all is well, one line each; what is not says what to do."""

from collections.abc import Iterator
from pathlib import Path

import click

from dropscribe.checks import Finding, on_this_machine
from dropscribe.checks_online import over_the_network
from dropscribe.checks_told import command, metrics_port, webhook
from dropscribe.cli.exits import ExitCode
from dropscribe.cli.options import config_option, settings_for
from dropscribe.cli.say import say
from dropscribe.config.settings import Settings


@click.command()
@config_option
@click.option("--online", is_flag=True, help="Also bucket (put, signed GET, delete), API key, webhook's host.")
@click.pass_context
def check(context: click.Context, config: Path | None, online: bool) -> int:
    """Look at configuration, folders, clock and libraries; one line each, `ok` or what to do.

    Exits 0 if all is well, 1 if not, 78 if the configuration is faulty. Nothing is submitted, so nothing is billed, and
    nothing is left behind: a probe file in each folder, and with --online one small object, are removed again. To the
    webhook's host a connection is made and nothing is sent.

    \b
    Examples:
      dropscribe check
      dropscribe check --online | grep -v ^ok
    """
    settings = settings_for(context, config)
    wrong = 0
    for finding in _findings(settings, online):
        say(line(finding))
        wrong += not finding.ok
    if wrong:
        say(f"dropscribe: {wrong} thing{'s' if wrong > 1 else ''} to see to", err=True)
    return ExitCode.NOT_WELL if wrong else ExitCode.WELL


def _findings(settings: Settings, online: bool) -> Iterator[Finding]:
    yield from on_this_machine(settings, online)
    yield from metrics_port(settings)
    yield from command(settings.notify)
    if online:
        yield from over_the_network(settings)
        yield from webhook(settings.notify)


def line(finding: Finding) -> str:
    """`ok      about: text`, or `NOT OK  about: what to do`."""
    return f"{'ok' if finding.ok else 'NOT OK':<6}  {finding.about}: {finding.text}"
