"""Values that many tests begin with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dropscribe.config.settings import InboxSettings
from dropscribe.ledger.rows import OwedMedia
from dropscribe.model import Look


def inbox_settings(root: Path, **changes: Any) -> InboxSettings:
    """An inbox with its folders in `root`, of which none is made."""
    usual = InboxSettings(
        name="talks",
        inbox=root / "inbox",
        outbox=root / "outbox",
        done=root / "done",
        failed=root / "failed",
        settle=5.0,
        rescan=60.0,
        watch="polling",
        include=("*",),
        exclude=(),
        model="fun-asr",
        recognition={},
        prepare="as-is",
        outputs=("json", "srt"),
    )
    return replace(usual, **changes)


def owed_media(**changes: Any) -> OwedMedia:
    """A file that was recognised and whose outputs are being placed."""
    usual = OwedMedia(
        media_id=7,
        inbox="talks",
        path=b"talk.mp3",
        look=Look(5, 1, 7),
        sha256="aa" * 32,
        state="delivering",
        recognition_id=1,
        model="fun-asr",
        settings="{}",
        task_id="task-1",
        moved_to=None,
        error_file=None,
        code=None,
        message=None,
        remedy=None,
        request_id=None,
        attempts=1,
    )
    return replace(usual, **changes)
