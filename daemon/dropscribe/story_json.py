"""What `status` tells programs: its views as JSON. The shape is a promise."""

from dataclasses import asdict
from typing import Any

from dropscribe.moments import utc
from dropscribe.story import Alarm, FileView, InboxView, Spending, Status


def to_json(status: Status) -> dict[str, Any]:
    """The shape that programs read; times are UTC, such as `2026-11-20T08:00:00Z`."""
    return {
        "daemon": {
            "running": status.daemon.running,
            "pid": status.daemon.pid,
            "account": status.daemon.account,
            "since": utc(status.daemon.since),
        },
        "inboxes": [_inbox_json(inbox) for inbox in status.inboxes],
        "files": [_file_json(file) for file in status.files],
        "notes": list(status.notes),
        "spending": None if status.spending is None else _spending_json(status.spending),
        "notices": {"waiting": status.notices[0], "since": utc(status.notices[1])},
    }


def _spending_json(spending: Spending) -> dict[str, Any]:
    """In hours, as the limits are written."""
    seconds = asdict(spending)
    files = seconds.pop("held_files")
    hours = {f"{key}_hours": None if value is None else round(value / 3600.0, 4) for key, value in seconds.items()}
    return {**hours, "held_files": files}


def _inbox_json(inbox: InboxView) -> dict[str, Any]:
    keys = ("name", "inbox", "waiting", "in_flight", "delivered", "failed")
    return {key: getattr(inbox, key) for key in keys} | {"alarms": [_alarm_json(alarm) for alarm in inbox.alarms]}


def _alarm_json(alarm: Alarm) -> dict[str, Any]:
    keys = ("scope", "code", "message", "remedy")
    return {key: getattr(alarm, key) for key in keys} | {"since": utc(alarm.since)}


def _file_json(file: FileView) -> dict[str, Any]:
    keys = ("inbox", "path", "state", "reason", "code", "attempts", "task_id")
    return {key: getattr(file, key) for key in keys} | {"since": utc(file.since), "outputs": list(file.outputs)}
