"""argv to command to exit code. Logging is set up here, and every error finds its one door out."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from dropscribe import __version__
from dropscribe.cli.exits import ExitCode, exit_code_of

NAMES = ("run", "check", "plan", "status", "retry", "render", "forget", "sandbox", "demo")
COMMANDS = {name: f"dropscribe.cli.{name}" for name in NAMES}
"""Each command in a module of its own, under its own name; loaded when it is called, because `run` needs no sandbox."""


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Configuration; see each command.")
@click.version_option(__version__, prog_name="dropscribe")
@click.pass_context
def commands(context: click.Context, config: Path | None) -> None:
    """Drop audio or video into a folder, find transcripts and subtitles in another."""
    context.obj = config


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
