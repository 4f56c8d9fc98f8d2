"""`--listen`: whether the sandbox recognises what it gets, which needs the extra `sandbox`."""

import click

from dropscribe.sandbox import missing_ear

REMEDY = "pip install '.[sandbox]'"


def will_listen(wanted: bool | None) -> bool:
    """None: if it can. Raises ClickException where it is wanted and cannot be."""
    lacking = missing_ear()
    if wanted and lacking:
        raise click.ClickException(f"--listen needs {' and '.join(lacking)}: {REMEDY}")
    return not lacking if wanted is None else wanted
