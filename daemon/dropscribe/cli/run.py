"""`dropscribe run`: the daemon, in the foreground."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from dropscribe.cli.exits import ExitCode, of_the_system
from dropscribe.cli.options import config_option, log_option, log_to_stderr, settings_for
from dropscribe.config.reading import Wrong
from dropscribe.config.settings import Settings, secrets_of
from dropscribe.config.units import seconds
from dropscribe.hardening import keep_memory_private
from dropscribe.ledger import beside
from dropscribe.logs import take_over_hooks
from dropscribe.processors import share_one
from dropscribe.sd_notify import Notifier
from dropscribe.service import Outcome, Service

if TYPE_CHECKING:
    from dropscribe.cli.progress import ProgressView


log = structlog.get_logger()


class Duration(click.ParamType[float]):
    """`10m`, `1.5h`: seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return seconds(str(value))
        except Wrong:
            self.fail(f"{value!r} is not a duration; write a number and ms, s, m, h or d, such as 10m", param, ctx)


@click.command()
@config_option
@log_option
@click.option("--once", is_flag=True, help="Take what lies in the inboxes now, finish all of it, then exit.")
@click.option(
    "--patience",
    type=Duration(),
    default="10m",
    show_default=True,
    help="With --once: how long a fault of account, network or disk may last.",
)
@click.pass_context
def run(context: click.Context, config: Path | None, log_format: str, once: bool, patience: float) -> int:
    """Watch the inboxes and transcribe what is dropped there.

    Runs in the foreground until SIGTERM or Ctrl-C, then ends within 10 s with 0, and picks up where it stopped. SIGHUP
    reloads the configuration; a faulty one is refused, and the old one stays. With --once it exits 0 when all is
    delivered, 2 if a file failed, 1 if a fault lasted longer than --patience, 130 after Ctrl-C; on a terminal it shows
    how far it is. 75: another daemon holds the state folder. 78: the configuration is faulty.

    \b
    Examples:
      dropscribe run --config /etc/dropscribe/config.yaml
      dropscribe run --once --patience 2h && echo "all delivered"
      dropscribe run --once --log-format json 2>> dropscribe.log
    """
    keep_memory_private()
    share_one()
    settings = settings_for(context, config)
    view = progress_view(once, log_format)
    redactor = log_to_stderr(log_format, settings, None if view is None else view.log_stream)

    def reread() -> Settings:
        new = settings_for(context, config)
        redactor.learn(secrets_of(new))  # beside the old ones: a refused reload leaves them in use
        return new

    take_over_hooks()
    outcome = asyncio.run(_serve(settings, once, patience, reread, view))
    code = exit_code(outcome, once)
    if once and view is None:  # what is shown on a terminal has its own last line
        _say_ending(outcome, code)
    sys.stderr.flush()
    sys.stdout.flush()
    os._exit(code)  # a thread that hangs in a dead network disk must not keep a stopped daemon alive


def progress_view(once: bool, log_format: str) -> "ProgressView | None":
    """Loaded where it is wanted: the daemon needs no rich."""
    if not (once and sys.stderr.isatty()):
        return None
    progress = import_module("dropscribe.cli.progress")
    return progress.ProgressView(sys.stderr) if progress.is_wanted(once, log_format, sys.stderr, os.environ) else None


async def _serve(
    settings: Settings,
    once: bool,
    patience: float,
    reread: Callable[[], Settings],
    view: "ProgressView | None",
) -> Outcome:
    notifier = Notifier.from_environment(os.environ, os.getpid())
    notifier.status(f"opening the ledger in {settings.state}")
    _heed_signals(once)
    try:
        service = Service(settings, once=once, patience=patience, reread=reread, notifier=notifier)
    except OSError as error:
        said = (
            f"the state folder {settings.state} cannot be used: {of_the_system(error)}; `dropscribe check` tells more"
        )
        raise click.ClickException(said) from error
    if view is None:
        return await service.run()
    async with view.following(service.ledger):
        outcome = await service.run()
    with beside.reading(settings.state) as connection:
        view.conclude(connection)
    return outcome


def _say_ending(outcome: Outcome, code: ExitCode) -> None:
    """Why it did not end with 0."""
    remedy = "`dropscribe status` says what and why"
    if code is ExitCode.NOT_WELL:
        what = f"out of order: {', '.join(outcome.out_of_order)}" if outcome.out_of_order else "nothing went on"
        log.warning("once.ended", reason=f"{what}, for longer than the patience", remedy=remedy)
    elif code is ExitCode.FILES_FAILED:
        log.warning("once.ended", reason=f"files failed: {outcome.failed_files}", remedy=remedy)


def _heed_signals(once: bool) -> None:
    """Until `Service.run` takes them over: a state disk that is full is waited for, and that may be long."""

    def end(_number: int, _frame: object) -> None:
        raise SystemExit(ExitCode.INTERRUPTED if once else ExitCode.WELL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what is opened is opened with the configuration as it was read


def exit_code(outcome: Outcome, once: bool) -> ExitCode:
    """How a run ends: pure."""
    if not once:
        return ExitCode.WELL
    if outcome.interrupted:
        return ExitCode.INTERRUPTED
    if outcome.out_of_patience or outcome.stopped:
        return ExitCode.NOT_WELL
    return ExitCode.FILES_FAILED if outcome.failed_files else ExitCode.WELL
