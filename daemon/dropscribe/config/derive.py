"""Defaults that other values give: names, folders beside an inbox, endpoints of a region."""

from pathlib import Path

from dropscribe.config.drafts import Draft, Report
from dropscribe.config.reading import Reported, Wrong
from dropscribe.config.recognition import read_recognition
from dropscribe.config.schema import OSS_ENDPOINT

BESIDE = ("outbox", "done", "failed")


def derive_storage(storage: Draft) -> None:
    """The endpoints, where they are not written and what they follow from is known."""
    region = storage.get("region")
    if storage.lacks("endpoint") and region:
        storage.values["endpoint"] = OSS_ENDPOINT.format(region=region)
    if storage.lacks("public_endpoint") and storage.get("endpoint"):
        storage.values["public_endpoint"] = storage.values["endpoint"]


def derive_inbox(inbox: Draft, report: Report) -> None:
    """Name, folders and recognition of one inbox."""
    folder: Path | None = inbox.get("inbox")
    if folder is not None:
        for key in BESIDE:
            if inbox.lacks(key):
                inbox.values[key] = folder.parent / key
    if folder is not None and inbox.lacks("name"):
        inbox.values["name"] = folder.parent.name if folder.name == "inbox" else folder.name
    _recognition(inbox, report)


def _recognition(inbox: Draft, report: Report) -> None:
    node = inbox.values.pop("recognition", None)
    if node is None:
        return
    path, line = inbox.at("recognition"), inbox.line_of("recognition")
    try:
        read = read_recognition(node, inbox.get("model"))
    except Wrong as wrong:
        report.wrong(path, line, wrong)
    except Reported:
        return
    else:
        report.wrong(path, line, Wrong(*read.flaws))
        for warning in read.warnings:
            report.warn(path + warning.suffix, warning.line, warning.message)
        inbox.values["recognition"] = read.values
