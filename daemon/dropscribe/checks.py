"""What `dropscribe check` finds on this machine, without the network: one finding, one line.

Looking leaves nothing behind: a probe file is written into each folder that has to be writable, and removed.
"""

import contextlib
import os
import platform
import re
import secrets
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path

from dropscribe.config.settings import InboxSettings, Settings, secrets_of
from dropscribe.config.urls import in_mainland, region_of_api
from dropscribe.disk.placing import write_aside
from dropscribe.disk.sources import folder_at
from dropscribe.errors import OutOfOrder
from dropscribe.folders import unusable
from dropscribe.ledger import beside, is_held
from dropscribe.ledger.sqlite import OLDEST
from dropscribe.mounts import KERNEL_FILESYSTEMS, NETWORK_FILESYSTEMS, filesystem_type
from dropscribe.story import folders_of
from dropscribe.survey import folder_trouble
from dropscribe.watch import watch_mode

INOTIFY = Path("/proc/sys/fs/inotify")
LITTLE_SPACE = 200_000_000
"""Bytes; below this a folder that is written to wants room."""
EARLIEST = 1_750_000_000
"""June 2025: a clock before this is surely wrong."""
OLDEST_LIBRARIES = {"oss2": (2, 19), "watchdog": (7,)}
"""Older ones sign in another way, or lose events without a word; pip keeps them away, other installers may not."""
FOREIGN_OSS = "alibabacloud-oss-v2"
LIBRARIES = ("aiohttp", "click", "fastcrc", "oss2", "PyYAML", "SQLAlchemy", "structlog", "tenacity", "watchdog")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, and how it is or what to do."""

    about: str
    text: str
    ok: bool = True


def on_this_machine(settings: Settings, online: bool = False) -> Iterator[Finding]:
    """Everything but the network, in the order in which it is needed; `online`: the network is looked at as well."""
    yield from configuration(settings)
    yield libraries()
    yield from library_traps(_versions())
    yield database()
    yield from parts_of_the_world(settings)
    yield clock(time.time(), online)
    yield from state_folder(settings.state)
    for inbox in settings.inboxes:
        yield from inbox_folders(inbox, settings.state)
    yield from watches(settings.inboxes, inotify_limit("max_user_watches"), inotify_limit("max_user_instances"))


def configuration(settings: Settings) -> Iterator[Finding]:
    names = ", ".join(inbox.name for inbox in settings.inboxes)
    yield Finding("configuration", f"{settings.path}; inboxes: {names}")
    for warning in settings.warnings:
        yield Finding("configuration", f"but look: {warning}")
    if _shows_keys(settings):
        yield Finding("configuration", f"but look: keys stand in it, and others can read it: chmod 600 {settings.path}")


def _shows_keys(settings: Settings) -> bool:
    """Whether a key is written out in a file that is not its owner's alone."""
    try:
        if not stat.S_IMODE(settings.path.stat().st_mode) & 0o044:
            return False
        content = settings.path.read_bytes()
    except OSError:
        return False
    return any(secret.encode() in content for secret in secrets_of(settings) if secret)


def libraries() -> Finding:
    """The CRC is fastcrc's, so it does not matter whether oss2's slow one could be compiled."""
    found = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    try:
        phrases = f"budoux {version('budoux')}"
    except PackageNotFoundError:
        phrases = "without budoux (subtitles in Chinese, Japanese and Thai are better with it)"
    return Finding("libraries", f"Python {platform.python_version()}, {found}, {phrases}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(version unknown)"


def _versions() -> dict[str, str]:
    """Of those installed packages that hold a trap."""
    found = {}
    for name in (*OLDEST_LIBRARIES, FOREIGN_OSS):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def library_traps(versions: Mapping[str, str]) -> Iterator[Finding]:
    """What would go wrong quietly. Pure."""
    for name, oldest in OLDEST_LIBRARIES.items():
        have = versions.get(name)
        if have is not None and tuple(map(int, re.findall(r"\d+", have)[:2])) < oldest:
            need = ".".join(map(str, oldest))
            yield Finding("libraries", f"{name} {have} is too old: pip install '{name}>={need}'", False)
    if FOREIGN_OSS in versions:
        advice = "give dropscribe a virtual environment of its own"
        yield Finding("libraries", f"{FOREIGN_OSS} and oss2 both bring a package called crcmod: {advice}", False)


def parts_of_the_world(settings: Settings) -> Iterator[Finding]:
    """Whether bucket and API are on the same side of the border of mainland China. Nothing where they do not tell.

    Across it, the service's downloads time out.
    """
    bucket, api = settings.storage.region, region_of_api(settings.model_studio.endpoint)
    if api is None:
        return
    if in_mainland(bucket) == in_mainland(api):
        yield Finding("regions", f"the bucket is in {bucket}, the API in {api}")
    else:
        advice = "use a bucket on the API's side, or a key and endpoint on the bucket's"
        why = "downloads across the border time out"
        yield Finding("regions", f"the bucket is in {bucket}, the API in {api}, and {why}: {advice}", False)


def database(found: tuple[int, ...] = sqlite3.sqlite_version_info) -> Finding:
    have, need = ".".join(map(str, found)), ".".join(map(str, OLDEST))
    if found < OLDEST:
        return Finding("SQLite", f"{have} is too old: install a Python that brings SQLite {need} or newer", False)
    return Finding("SQLite", have)


def clock(now: float, online: bool = False) -> Finding:
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < EARLIEST:
        return Finding("clock", f"{said} is in the past: set it and switch on NTP; signatures need the time", False)
    return Finding("clock", said if online else f"{said}; `--online` compares it with the service's")


def state_folder(state: Path) -> Iterator[Finding]:
    """Its place, its rights, its ledger."""
    about = "state"
    trouble = _no_disk(state) or _usable(state)
    if trouble is not None:
        yield trouble_finding(about, trouble)
        return
    if not state.exists():
        yield _to_be_created(about, state, f" ({filesystem_type(state)})")
        return
    mode = stat.S_IMODE(state.stat().st_mode)
    if mode & 0o077:
        yield Finding(about, f"{state} can be entered by others (mode {mode:04o}): chmod 700 {state}", False)
    elif space := _little_space(state):
        yield Finding(about, space, False)
    else:
        yield Finding(about, f"{state}: {filesystem_type(state)}, {_free(state)} free, mode {mode:04o}")
    yield _ledger(state)


def _ledger(state: Path) -> Finding:
    try:
        with beside.reading(state) as connection:
            if connection is None:
                return Finding("ledger", "there is none yet")
    except beside.Unreadable as error:
        return Finding("ledger", str(error), False)
    return Finding("ledger", "in order; a daemon runs" if is_held(state) else "in order; no daemon runs")


def inbox_folders(inbox: InboxSettings, state: Path) -> Iterator[Finding]:
    """Each folder of an inbox."""
    for folder in map(Path, folders_of(inbox)):
        about = f"{inbox.name} {_role(inbox, folder)}"
        trouble = _no_disk(folder) or _remembered(state, folder) or _usable(folder)
        if trouble is not None:
            yield trouble_finding(about, trouble)
        elif not folder.exists():
            yield _to_be_created(about, folder)
        elif space := _little_space(folder):
            yield Finding(about, space, False)
        else:
            yield _in_order(inbox, folder, about)


def _to_be_created(about: str, folder: Path, where: str = "") -> Finding:
    if space := _little_space(_above(folder)):
        return Finding(about, space, False)
    return Finding(about, f"{folder} is created when the daemon starts{where}")


def _role(inbox: InboxSettings, folder: Path) -> str:
    roles = (name for name in ("inbox", "outbox", "done", "failed") if getattr(inbox, name) == folder)
    return " and ".join(roles)


def _remembered(state: Path, folder: Path) -> OutOfOrder | None:
    try:
        with beside.reading(state) as connection:
            return folder_trouble(connection, folder)
    except beside.Unreadable:
        return None  # has a line of its own


def _in_order(inbox: InboxSettings, folder: Path, about: str) -> Finding:
    kind = filesystem_type(folder)
    said = f"{folder}: {kind}, {_free(folder)} free"
    if folder != inbox.inbox:
        return Finding(about, said + _far_from_the_inbox(inbox, folder))
    if kind in NETWORK_FILESYSTEMS and inbox.watch == "events":
        advice = "a network file system gives no events: set `watch: auto`"
        return Finding(about, f"{folder} ({kind}): {advice}", False)
    if watch_mode(inbox.watch, kind) == "polling":
        return Finding(about, f"{said}; looked through every {inbox.rescan:g} s")
    return Finding(about, said)


def _far_from_the_inbox(inbox: InboxSettings, folder: Path) -> str:
    """Between devices a source cannot simply be renamed."""
    with contextlib.suppress(OSError):
        if folder in (inbox.done, inbox.failed) and folder.stat().st_dev != inbox.inbox.stat().st_dev:
            return "; another device than the inbox: sources are copied there, compared, then removed"
    return ""


def _no_disk(folder: Path) -> OutOfOrder | None:
    """What the kernel makes up, or what is gone after a restart, whatever root may write there now."""
    kind = filesystem_type(folder)
    parts = Path(os.path.realpath(folder)).parts[1:3]
    devices = parts[:1] == ("dev",) and parts[1:] != ("shm",)  # in a container /dev is an ordinary tmpfs
    if kind not in KERNEL_FILESYSTEMS and not devices:
        return None
    message, remedy = f"{folder} lies on {kind}, which keeps no files", "choose a folder on a disk"
    return OutOfOrder(f"folder:{folder}", "NoDisk", message, remedy)


def _usable(folder: Path) -> OutOfOrder | None:
    """Whether a folder can be written to; where there is none yet, whether it can be created."""
    try:
        if not os.path.lexists(folder):
            return _creatable(folder)
        with folder_at(folder) as descriptor:
            _, probe = write_aside(descriptor, f"check-{secrets.token_hex(8)}", b"\n", 0o600)
            os.unlink(probe, dir_fd=descriptor)
            os.listdir(descriptor)
    except OSError as error:
        return unusable(folder, error)
    return None


def _creatable(folder: Path) -> OutOfOrder | None:
    above = _above(folder)
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK, effective_ids=True):
        return None
    remedy = "create it and give it to the user that runs the daemon"
    return OutOfOrder(f"folder:{folder}", "NotCreatable", f"{folder} cannot be created in {above}", remedy)


def _above(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(parent for parent in folder.parents if os.path.lexists(parent))


def trouble_finding(about: str, trouble: Exception) -> Finding:
    """A fault of the house's as a line: what is wrong, and the remedy."""
    message = getattr(trouble, "message", str(trouble))
    remedy = getattr(trouble, "remedy", "")
    return Finding(about, f"{message.rstrip(' .:;')}: {remedy}" if remedy else message, False)


def _little_space(folder: Path) -> str | None:
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if room.f_blocks and free < LITTLE_SPACE:
        return f"{folder}: only {free // 10**6} MB are free: make room"
    if room.f_files and room.f_favail == 0:
        return f"{folder}: the file system has no inodes left: delete files"
    return None


def _free(folder: Path) -> str:
    room = os.statvfs(folder)
    return f"{room.f_bavail * room.f_frsize / 10**9:.1f} GB"


def inotify_limit(name: str) -> int | None:
    """A limit of this user's; None where the kernel does not tell."""
    try:
        return int((INOTIFY / name).read_text())
    except (OSError, ValueError):
        return None


def watches(inboxes: Sequence[InboxSettings], most: int | None, most_instances: int | None = None) -> Iterator[Finding]:
    """Whether the kernel lets us watch as many folders, and inboxes, as there are. Nothing where none is watched."""
    watched = [box for box in inboxes if watch_mode(box.watch, filesystem_type(box.inbox)) == "events"]
    if not watched:
        return
    if most_instances is not None and len(watched) * 10 > most_instances * 8:
        advice = f"sysctl fs.inotify.max_user_instances={max(512, len(watched) * 4)}, or set `watch: polling`"
        yield Finding("inotify", f"{len(watched)} inboxes to watch, {most_instances} allowed: {advice}", False)
    if most is None:
        return
    need = sum(_count_folders(inbox.inbox, most) for inbox in watched)
    if need * 10 > most * 8:
        advice = f"sysctl fs.inotify.max_user_watches={max(524_288, need * 2)}, or set `watch: polling`"
        yield Finding("inotify", f"{need} folders to watch, and the kernel allows {most} in all: {advice}", False)
    else:
        yield Finding("inotify", f"{need} folders to watch, {most} allowed")


def _count_folders(root: Path, most: int) -> int:
    """Folders in and below `root`, counted no further than `most`."""
    return sum(1 for _ in islice(os.walk(root), most))
