"""What commands print: lines that no file name and no service can steer a terminal with."""

import json
from typing import Any

import click

from dropscribe.printable import in_json, visible


def say(line: str = "", err: bool = False) -> None:
    """One line, whatever stands in it."""
    click.echo(visible(line), err=err)


def say_json(value: Any) -> None:
    """For programs; UTF-8 whatever the terminal's locale says."""
    text = in_json(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"
    click.echo(text.encode(), nl=False)
