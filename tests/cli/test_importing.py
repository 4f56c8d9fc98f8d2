"""What a start loads, and what it does not."""

import subprocess
import sys


def test_the_daemon_is_loaded_without_rich_the_other_database_or_anything_that_plays_media() -> None:
    program = """
import sys
from dropscribe.cli import commands
commands.get_command(None, "run")
print(*(name for name in ("rich", "sqlalchemy.dialects.postgresql", "av", "prometheus_client") if name in sys.modules))
import rich.console  # what needs it can still have it
"""

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "\n"
