"""What several commands share: the configuration they read, and how they log."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from dropscribe import logs
from dropscribe.cli.exits import cover
from dropscribe.cli.paths import CONFIG_PATH
from dropscribe.config import find, load
from dropscribe.config.settings import Settings, secrets_of

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """`--config FILE`."""
    return click.option(
        "--config",
        type=CONFIG_PATH,
        metavar="FILE",
        help="Default: $DROPSCRIBE_CONFIG, else ./config.yaml, else /etc/dropscribe/config.yaml.",
    )(command)


def log_option(command: Command) -> Command:
    """`--log-format auto|console|json`."""
    return click.option(
        "--log-format",
        type=click.Choice(["auto", "console", "json"]),
        default="auto",
        show_default=True,
        help="auto: readable on a terminal, JSON otherwise.",
    )(command)


def settings_for(context: click.Context, config: Path | None, keyless: bool = False) -> Settings:
    """Read the configuration of this command; `keyless` where it calls no service.

    Raises:
        Misconfigured: all its faults.
    """
    settings = load(find(config or context.obj, os.environ), os.environ, keyless=keyless)
    if not keyless:
        cover(secrets_of(settings))
    return settings


def log_to_stderr(log_format: str, settings: Settings, instead: TextIO | None = None) -> logs.Redactor:
    """Set up logging, to `instead` where that leads to stderr; the secrets of the configuration never pass. What is
    returned can learn those of another.
    """
    return logs.set_up(log_format, instead or sys.stderr, secrets_of(settings))  # type: ignore[arg-type]  # one of the option's choices
