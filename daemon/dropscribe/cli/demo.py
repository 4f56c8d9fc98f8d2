"""`dropscribe demo`: the whole way from inbox to outbox, without an account."""

import click


@click.command()
def demo() -> None:
    """Show the whole way from inbox to outbox in a temporary folder, without an account."""
    raise click.ClickException("not yet")
