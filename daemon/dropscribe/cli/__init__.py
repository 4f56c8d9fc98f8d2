"""argv to command to exit code. Logging is set up here, and every error finds its one door out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from dropscribe import __version__
from dropscribe.cli.closed import lead_nowhere
from dropscribe.cli.exits import ExitCode, exit_code_of
from dropscribe.cli.importing import load
from dropscribe.cli.paths import CONFIG_PATH

COMMANDS = {
    "run": "Watch the inboxes and transcribe what is dropped there.",
    "check": "Look whether all is well; one line each, `ok` or what to do.",
    "plan": "Show what would be paid for, before anything is.",
    "status": "Show what is where, what waits and why; or the story of one file.",
    "retry": "Put failed files back into their inbox.",
    "render": "Write any format again from what is kept.",
    "forget": "Remove what the state folder keeps of a file.",
    "sandbox": "Run a local stand-in for OSS and Model Studio.",
    "demo": "Show the whole way from inbox to outbox, without an account.",
}
"""Each command in a module of its own, under its own name; loaded when it is called: `run` needs no sandbox, and the
completion of a word needs none of them.
"""


class LazyCommands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(load(f"dropscribe.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(name, help=said) for name, said in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", type=CONFIG_PATH, metavar="FILE", help="Configuration; see each command.")
@click.version_option(__version__, prog_name="dropscribe")
@click.pass_context
def commands(context: click.Context, config: Path | None) -> None:
    """Drop audio or video into a folder, find transcripts and subtitles in another.

    \b
    dropscribe demo                        see it work, without an account
    dropscribe check --online              try keys, bucket and folders; costs nothing
    dropscribe run                         the daemon, in the foreground
    dropscribe status inbox/talk.mp3       why is this file still here?
    dropscribe COMMAND --help              more, with examples

    \b
    Exit codes:
      0    well
      1    not well; stderr says what
      2    run --once finished, and some file failed
      64   wrong usage
      75   another daemon holds this state folder
      78   the configuration is faulty or absent
      130  Ctrl-C (not the daemon, which ends with 0)

    \b
    Completion of commands, options and paths, for bash (in ~/.bashrc), zsh (in ~/.zshrc), fish:
      eval "$(_DROPSCRIBE_COMPLETE=bash_source dropscribe)"
      eval "$(_DROPSCRIBE_COMPLETE=zsh_source dropscribe)"
      _DROPSCRIBE_COMPLETE=fish_source dropscribe > ~/.config/fish/completions/dropscribe.fish
    """
    context.obj = config


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    lead_nowhere()
    try:
        code = commands.main(
            args=None if arguments is None else list(arguments), prog_name="dropscribe", standalone_mode=False
        )
    except Exception as error:  # the one door out: every error gets its sentence and its code here
        code = exit_code_of(error)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    sys.stdout.flush()
    sys.exit(int(code or 0))
