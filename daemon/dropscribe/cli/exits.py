"""Exit codes, and which error ends in which, with its sentence on stderr."""

import os
import traceback
from enum import IntEnum

import click

from dropscribe.errors import DropscribeError, Misconfigured, StateHeld
from dropscribe.names import display


class ExitCode(IntEnum):
    """As the README tells them."""

    WELL = 0
    NOT_WELL = 1
    FILES_FAILED = 2
    USAGE = 64
    HELD = 75
    MISCONFIGURED = 78
    INTERRUPTED = 130


def exit_code_of(error: Exception) -> int:  # noqa: PLR0911 - a table
    """Say on stderr what is wrong; return the exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.UsageError():
            error.show()
            return ExitCode.USAGE
        case click.Abort():
            return ExitCode.INTERRUPTED
        case click.ClickException():
            error.show()
            return ExitCode.NOT_WELL
        case Misconfigured():
            _say("the configuration is faulty:", *(str(problem) for problem in error.problems))
            return ExitCode.MISCONFIGURED
        case StateHeld():
            _say(str(error))
            return ExitCode.HELD
        case OSError():
            _say(of_the_system(error))
            return ExitCode.NOT_WELL
        case DropscribeError():
            _say(str(error))
            return ExitCode.NOT_WELL
    click.echo("".join(traceback.format_exception(error)), err=True)
    _say("this is a bug in dropscribe; nothing that was recorded is lost")
    return ExitCode.NOT_WELL


def _say(first: str, *more: str) -> None:
    click.echo(f"dropscribe: {first}", err=True)
    for line in more:
        click.echo(f"  {line}", err=True)


def of_the_system(error: OSError) -> str:
    """`/proc/x: No such file or directory`, without a number that nobody knows."""
    why = error.strerror or str(error) or type(error).__name__
    where = error.filename2 if error.filename2 is not None else error.filename
    return why if not isinstance(where, str | bytes | os.PathLike) else f"{display(os.fsencode(where))}: {why}"
