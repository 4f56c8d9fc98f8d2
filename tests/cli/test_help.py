"""What a person can look up: help with examples, exit codes, and a shell that completes words."""

import os
import subprocess
import sys

import click
import pytest
from click.shell_completion import BashComplete, CompletionItem

from cli.house import run
from dropscribe.cli import COMMANDS, commands
from dropscribe.cli.exits import ExitCode


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_its_own_help_says_first(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None and command.help is not None
    assert COMMANDS[name].split()[0] == command.help.split()[0]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_help_has_examples_that_could_be_typed(name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"  Examples:\n    dropscribe {name}" in ran.out


def test_help_fits_an_ordinary_terminal() -> None:
    for name in COMMANDS:
        assert max(map(len, run(name, "--help").out.splitlines())) <= 100


def test_every_exit_code_is_told() -> None:
    told = run("--help").out
    for code in ExitCode:
        assert f"\n    {int(code):<4} " in told


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("s",), ["status", "sandbox"]),
        (("--v",), ["--version"]),
        (("run", "--log-format", "j"), ["json"]),
        (("check", "--on"), ["--online"]),
    ],
)
def test_a_shell_completes_commands_options_and_values(words: tuple[str, ...], offered: list[str]) -> None:
    assert [item.value for item in completions(*words)] == offered


@pytest.mark.parametrize("words", [("status", "--config", "x"), ("retry", "tal"), ("status", "tal"), ("forget", "tal")])
def test_a_shell_completes_paths_by_itself(words: tuple[str, ...]) -> None:
    assert [item.type for item in completions(*words)] == ["file"]


def completions(*words: str) -> list[CompletionItem]:
    """What a shell is offered for the last word."""
    complete = BashComplete(commands, {}, "dropscribe", "_DROPSCRIBE_COMPLETE")
    return complete.get_completions(list(words[:-1]), words[-1])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dropscribe"],
        env={**os.environ, "_DROPSCRIBE_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"_DROPSCRIBE_COMPLETE={shell}_complete" in done.stdout


def test_what_the_readme_tells_bash_users_to_write_works() -> None:
    command = os.path.join(os.path.dirname(sys.executable), "dropscribe")
    script = f"""
        eval "$(_DROPSCRIBE_COMPLETE=bash_source {command})"
        COMP_WORDS=(dropscribe stat) COMP_CWORD=1
        _dropscribe_completion {command}
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["status"], done.stderr
