"""`dropscribe sandbox`: the local stand-in for OSS and Model Studio, as a command."""

import asyncio
import signal
from typing import Any

import click
import yaml

from dropscribe.cli.listen import will_listen
from dropscribe.sandbox import Sandbox, SandboxSettings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 picks a free one.")
@click.option("--speed", type=click.FloatRange(0.01, 10_000), default=1.0, show_default=True, help="Of its clock.")
@click.option("--task-seconds", type=click.FloatRange(0), default=1.0, show_default=True, help="How long a task takes.")
@click.option("--listen/--no-listen", default=False, show_default=True, help="Recognise what it gets (English).")
@click.option("--rates/--no-rates", default=True, show_default=True, help="Keep to the service's rate limits.")
def sandbox(port: int, speed: float, task_seconds: float, listen: bool, rates: bool) -> None:
    """Run a local stand-in for OSS and Model Studio, for trying out and for tests.

    It listens on 127.0.0.1 only, prints a configuration that uses it, and serves until Ctrl-C or SIGTERM. What it
    was given is gone when it stops.

    It does not listen to what it gets. It knows the words of the sample recordings; any other file gets a transcript
    that says so. With --listen, and the extra `sandbox` installed (pip install '.[sandbox]'), PocketSphinx
    recognises English offline at several times its length, and says what it could not make out.

    A file that begins with NOSPEECH fails as silence does; one that begins with BROKEN:CODE fails with that code, every
    time.

    \b
    Examples:
      dropscribe sandbox > config.yaml &
      dropscribe sandbox --listen --port 9000

    \b
    For programs on this machine, under http://127.0.0.1:PORT/_sandbox/:
      GET    state      objects, uploads, tasks, billing book, counters, faults
      POST   faults     {"call": "submit", "does": "error", "status": 429,
                         "code": "Throttling.RateQuota", "times": 3}
      DELETE faults
      POST   clock      {"advance": 3600}
      POST   settings   {"submit_rate": 100}
    What a fault can be: python -m pydoc dropscribe.sandbox.faults
    """
    settings = SandboxSettings(
        port=port,
        speed=speed,
        task_seconds=task_seconds,
        listens=will_listen(listen),
        pending_seconds=min(0.3, task_seconds),
        enforce_rates=rates,
    )
    try:
        asyncio.run(_serve(settings))
    except OSError as error:
        why = error.strerror or error
        raise click.ClickException(
            f"The sandbox cannot listen on port {port} of 127.0.0.1: {why}. Choose another with --port."
        ) from error


async def _serve(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Sandbox(settings)
    url = await server.start()
    try:
        click.echo(configuration(url, settings), nl=False)
        await stop.wait()
    finally:
        await server.stop()


def configuration(url: str, settings: SandboxSettings) -> str:
    """A `config.yaml` for a sandbox at `url`."""
    content: dict[str, Any] = {
        "model_studio": {"endpoint": url, "api_key": settings.api_key},
        "storage": {
            "provider": "oss",
            "bucket": settings.bucket,
            "region": settings.region,
            "endpoint": url,
            "public_endpoint": url,
            "access_key_id": settings.access_key_id,
            "access_key_secret": settings.access_key_secret,
        },
        "inboxes": [{"name": "sandbox", "inbox": "./inbox"}],
    }
    remark = "# A sandbox on this machine: nothing is sent anywhere, nothing is billed. Save this as config.yaml, then:"
    return f"{remark}\n#   dropscribe run --config config.yaml\n" + yaml.safe_dump(content, sort_keys=False)
