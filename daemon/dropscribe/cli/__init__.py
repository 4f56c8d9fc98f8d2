"""argv to command to exit code. Logging is set up here, and every error finds its one door out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from dropscribe import __version__
from dropscribe.cli.check import check
from dropscribe.cli.demo import demo
from dropscribe.cli.exits import ExitCode, exit_code_of
from dropscribe.cli.forget import forget
from dropscribe.cli.retry import retry
from dropscribe.cli.run import run
from dropscribe.cli.sandbox import sandbox
from dropscribe.cli.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration; see each command.")
@click.version_option(__version__, prog_name="dropscribe")
@click.pass_context
def commands(context: click.Context, config: Path | None) -> None:
    """Drop audio or video into a folder, find transcripts and subtitles in another."""
    context.obj = config


for command in (run, check, status, retry, forget, sandbox, demo):
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    try:
        code = commands.main(args=None if arguments is None else list(arguments), standalone_mode=False)
    except Exception as error:  # the one door out: every error gets its sentence and its code here
        code = exit_code_of(error)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.stdout.flush()
    sys.exit(int(code or 0))
