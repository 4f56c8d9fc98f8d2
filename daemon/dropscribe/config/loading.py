"""From a file's bytes to `Settings`, or to every fault at once."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from dropscribe.config.assemble import assemble
from dropscribe.config.crosscheck import (
    check_limits,
    check_model_studio,
    check_notify,
    check_retry,
    check_storage,
    check_subtitles,
)
from dropscribe.config.derive import derive_inbox, derive_storage
from dropscribe.config.drafts import Draft, Reading, Report
from dropscribe.config.folders import check_folders, check_names, check_state
from dropscribe.config.keyless import with_stand_ins, without_keys
from dropscribe.config.placeholders import fill
from dropscribe.config.reading import is_nothing
from dropscribe.config.schema import DEFAULT_FORMATS, TOP, inbox_keys
from dropscribe.config.settings import Settings
from dropscribe.config.wording import folder
from dropscribe.config.yaml_lines import LARGEST_FILE, Table, Unreadable, parse
from dropscribe.errors import Misconfigured, Problem
from dropscribe.mounts import NETWORK_FILESYSTEMS, filesystem_type

STANDARD_PLACES = (Path("config.yaml"), Path("/etc/dropscribe/config.yaml"))


def find(explicit: Path | None, environ: Mapping[str, str], places: Sequence[Path] = STANDARD_PLACES) -> Path:
    """The configuration file: `explicit`, else `$DROPSCRIBE_CONFIG`, else the first of `places` that exists.

    Raises Misconfigured where there is none. Whether a file that was named exists is `load`'s to say.
    """
    named = explicit or environ.get("DROPSCRIBE_CONFIG")
    if named:
        return Path(named)
    for place in places:
        if os.path.lexists(place):
            return place
    looked = ", then ".join(str(place) for place in places)
    message = f"there is none (looked for {looked}); name one with --config or in $DROPSCRIBE_CONFIG"
    raise Misconfigured([Problem("configuration", None, f"{message}, or copy config.example.yaml")])


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    formats: Collection[str] = DEFAULT_FORMATS,
    filesystem_of: Callable[[Path], str] = filesystem_type,
    keyless: bool = False,
) -> Settings:
    """Read, check and complete the configuration at `path`.

    `formats` are the outputs that can be rendered; `keyless` asks for no keys. Raises Misconfigured with all faults.
    """
    path = Path(os.path.abspath(path))
    if keyless:
        environ = with_stand_ins(environ)
    root, report = _root(path, environ, keyless)
    reading = Reading(path.parent, environ, report)
    top = reading.draft(root, TOP, "", ignore=frozenset({"inboxes"}))
    inboxes = _inboxes(root, formats, reading)
    _check(top, inboxes, report)
    check_state(top, filesystem_of, NETWORK_FILESYSTEMS, report)
    if report.problems:
        raise Misconfigured(sorted(report.problems, key=lambda problem: problem.line or 0))
    return assemble(path, top, inboxes, report.warnings)


def _root(path: Path, environ: Mapping[str, str], keyless: bool) -> tuple[Table, Report]:
    name = folder(path)
    text = _text(path, name)
    try:
        node, problems = parse(text)
    except Unreadable as error:
        raise Misconfigured([Problem(name, error.line, error.message)]) from error
    if not isinstance(node, Table):
        what = "is empty" if is_nothing(node) else "is not a mapping"
        message = f"{what}; right is `key: value`, one a line, as in config.example.yaml"
        raise Misconfigured([Problem(name, node.line, message)])
    root, missing = fill(without_keys(node) if keyless else node, environ)
    assert isinstance(root, Table)
    return root, Report(problems + missing)


def _text(path: Path, name: str) -> str:
    """The file's text. Raises Misconfigured."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is impossible"
        message = f"the configuration cannot be read: {reason}; name a file that this user may read"
        raise Misconfigured([Problem(name, None, message)]) from error
    if len(content) > LARGEST_FILE:
        message = f"is larger than {LARGEST_FILE} bytes, so it is surely no configuration; name another file"
        raise Misconfigured([Problem(name, None, message)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured([Problem(name, line, "is not UTF-8 text; save it as UTF-8")]) from error


def _inboxes(root: Table, formats: Collection[str], reading: Reading) -> list[Draft]:
    if "inboxes" not in root.entries:
        message = "is missing; right is a list whose items begin with `- inbox: ...`"
        reading.report.fault("inboxes", root.line, message)
        return []
    return reading.drafts(root.entries["inboxes"], inbox_keys(formats), "inboxes")


def _check(top: Draft, inboxes: Sequence[Draft], report: Report) -> None:
    """Complete the drafts, then hold their values against each other."""
    derive_storage(top.section("storage"))
    for draft in inboxes:
        derive_inbox(draft, report)
        check_subtitles(draft.section("subtitles"), report)
    check_model_studio(top.section("model_studio"), report)
    check_storage(top.section("storage"), report)
    check_retry(top.section("retry"), report)
    check_limits(top.section("limits"), report)
    check_notify(top.section("notify"), report)
    check_names(inboxes, report)
    check_folders(top, inboxes, report)
