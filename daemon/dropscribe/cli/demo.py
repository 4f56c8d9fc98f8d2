"""`dropscribe demo`: the whole way from inbox to outbox, without an account."""

import asyncio
import os
import tempfile
from pathlib import Path

import click

from dropscribe import logs
from dropscribe.cli.exits import ExitCode
from dropscribe.demo import LOG_FILE, SHOWN, Ending, run, tree


@click.command()
def demo() -> int:
    """Show the whole way from inbox to outbox in a temporary folder, without an account.

    Starts the sandbox and the daemon, drops three sample recordings into an inbox, and shows what becomes of them.
    Takes about ten seconds, needs no network, costs nothing. The folder stays for a look; delete it when you like.
    """
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-demo-"))
    os.environ.update(no_proxy="*", NO_PROXY="*")  # the sandbox is on this machine, whatever proxy the user has
    with open(folder / LOG_FILE, "w", encoding="utf-8") as log:
        logs.set_up("json", log)
        try:
            ending = asyncio.run(run(folder, click.echo))
            if ending.interrupted:
                raise KeyboardInterrupt
            _show(folder, ending)
        finally:
            click.echo(f"\nEverything is in {folder} (configuration, log, ledger too); delete it when you like.")
    if ending.faults:
        faults = "\n  ".join(["the demonstration did not end as it should:", *ending.faults])
        raise click.ClickException(f"{faults}\nWhat the daemon saw stands in {folder / LOG_FILE}.")
    return ExitCode.WELL


def _show(folder: Path, ending: Ending) -> None:
    click.echo()
    for line in tree(folder, "inbox", "outbox", "done"):
        click.echo(line)
    srt = folder / "outbox" / f"{SHOWN}.srt"
    if srt.is_file():
        click.echo(f"\noutbox/{SHOWN}.srt:\n\n{srt.read_text('utf-8').rstrip()}\n")
    files, tasks = len(ending.billed), ending.tasks
    click.echo(
        f"billed      {sum(ending.billed)} s of speech, {files} files in {tasks} task(s); no money in the sandbox"
    )
    click.echo(f"bucket      {ending.objects or 'no'} objects are left in it")
    click.echo(f"took        {ending.seconds:.1f} s")
