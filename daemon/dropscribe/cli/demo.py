"""`dropscribe demo`: the whole way from inbox to outbox, without an account."""

import asyncio
import os
import tempfile
from pathlib import Path

import click

from dropscribe import logs
from dropscribe.cli.exits import ExitCode
from dropscribe.cli.listen import REMEDY, will_listen
from dropscribe.demo import LOG_FILE, SHOWN, Ending, heard_lines, run, samples, tree
from dropscribe.sandbox import missing_ear


@click.command()
@click.option(
    "--listen/--no-listen",
    default=None,
    help="Recognise the recordings, or tell the words that are known.  [default: listen if the extra is installed]",
)
def demo(listen: bool | None) -> int:
    """Show the whole way from inbox to outbox in a temporary folder, without an account.

    Starts the sandbox and the daemon, drops four sample recordings into an inbox, and shows what becomes of them. With
    the extra `sandbox` installed (pip install '.[sandbox]') they are really recognised, offline, by
    PocketSphinx, which knows English and says what it could not make out. Takes about twenty seconds, needs no
    network, costs nothing, leaves nothing running. The folder stays for a look; delete it when you like.
    """
    listens = will_listen(listen)
    if listens:
        click.echo("PocketSphinx stands in for Fun-ASR: it recognises clear English, offline.\n")
    else:
        click.echo(f"The sandbox does not listen ({_why_not(listen)}): it tells the words that it knows.\n")
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-demo-"))
    os.environ.update(no_proxy="*", NO_PROXY="*")  # the sandbox is on this machine, whatever proxy the user has
    with open(folder / LOG_FILE, "w", encoding="utf-8") as log:
        logs.set_up("json", log)
        try:
            ending = asyncio.run(run(folder, click.echo, listens))
            if ending.interrupted:
                raise KeyboardInterrupt
            _show(folder, ending, listens)
        finally:
            click.echo(f"\nEverything is in {folder} (configuration, log, ledger too); delete it when you like.")
    if ending.faults:
        faults = "\n  ".join(["the demonstration did not end as it should:", *ending.faults])
        raise click.ClickException(f"{faults}\nWhat the daemon saw stands in {folder / LOG_FILE}.")
    return ExitCode.WELL


def _why_not(listen: bool | None) -> str:
    return "--no-listen" if listen is False else f"not installed: {' and '.join(missing_ear())}; {REMEDY}"


def _show(folder: Path, ending: Ending, listens: bool) -> None:
    click.echo()
    for line in tree(folder, "inbox", "outbox", "done"):
        click.echo(line)
    srt = folder / "outbox" / f"{SHOWN}.srt"
    if srt.is_file():
        click.echo(f"\noutbox/{SHOWN}.srt:\n\n{srt.read_text('utf-8').rstrip()}\n")
    for line in heard_lines(samples(), ending.heard) if listens else ():
        click.echo(line)
    files, tasks = len(ending.billed), ending.tasks
    click.echo(
        f"billed      {sum(ending.billed)} s of speech, {files} files in {tasks} task(s); no money in the sandbox"
    )
    click.echo(f"bucket      {ending.objects or 'no'} objects are left in it")
    click.echo(f"took        {ending.seconds:.1f} s")
