"""The types of paths on a command line: any name, whether it can be read or not; what that means is ours to say.

Left to itself, click calls a file that may not be read wrong usage.
"""

from pathlib import Path

import click

ANY_PATH = click.Path(readable=False, path_type=bytes)
CONFIG_PATH = click.Path(readable=False, path_type=Path)
