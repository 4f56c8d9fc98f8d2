"""The table of docs/protocol.md that tells which official SDK proves which call, and what a sandbox counts of it."""

import re
from pathlib import Path
from typing import Literal

from dropscribe.sandbox import RunningSandbox

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
_ROW = re.compile(r"^\| (?P<call>\w+) \| (?P<oss2>yes)? ?\| (?P<dashscope>yes)? ?\|$", re.MULTILINE)


def proved_by(sdk: Literal["oss2", "dashscope"]) -> set[str]:
    """The calls that the page gives to an SDK."""
    return {row["call"] for row in _ROW.finditer(PAGE.read_text()) if row[sdk]}


def answered(sandbox: RunningSandbox) -> set[str]:
    """The calls that were answered with success."""
    calls = sandbox.state()["calls"].items()
    return {call for call, counted in calls if any(status < "300" for status in counted["statuses"])}
