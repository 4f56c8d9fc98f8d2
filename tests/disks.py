"""Disks of a test's own: small ones, ones that can be taken away, one that knows no case. All need root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str = "4m", *options: str) -> Iterator[None]:
    """A disk in memory at `folder`."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", folder]
    with _mounted(folder, command):
        yield


@contextmanager
def bound(disk: Path, folder: Path) -> Iterator[None]:
    """`disk` mounted at `folder`, so that it can be taken away and brought back."""
    disk.mkdir(parents=True, exist_ok=True)
    with _mounted(folder, ["mount", "--bind", disk, folder]):
        yield


@contextmanager
def caseless_disk(folder: Path) -> Iterator[None]:
    """An NTFS at `folder` as Windows and macOS know it: `talk.srt` and `TALK.SRT` are one file; lists lower case."""
    if shutil.which("lowntfs-3g") is None or not Path("/dev/fuse").exists():
        pytest.skip("needs lowntfs-3g (Debian: ntfs-3g) and /dev/fuse")
    image = folder.with_suffix(".img")
    with open(image, "wb") as file:
        file.truncate(32 * 1024 * 1024)
    subprocess.run(["mkntfs", "-F", "-Q", "-q", image], check=True, capture_output=True)
    with _mounted(folder, ["lowntfs-3g", "-o", "ignore_case", image, folder]):
        yield


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def unmount(folder: Path) -> None:
    """Take it away though it is in use; the empty mount point remains."""
    subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, how: str) -> None:
    mount("-o", f"remount,{how}", folder)


@contextmanager
def _mounted(folder: Path, command: list[str | Path]) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)
