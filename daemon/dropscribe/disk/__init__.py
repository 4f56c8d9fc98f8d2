"""Inbox and outbox folders at the level of files: reaching, placing, moving. No ledger, no decisions."""

from dropscribe.disk.faults import folder_fault, is_disk_fault
from dropscribe.disk.moving import hide, place_source, put_back, remove_source, verify
from dropscribe.disk.placing import (
    content_sha256,
    make_folders,
    place,
    replace,
    sha256_within,
    sync_folder,
    sync_way_down,
    write_aside,
)
from dropscribe.disk.sources import Oddity, Stopped, look_at, look_of_stat, open_source

__all__ = [
    "Oddity",
    "Stopped",
    "content_sha256",
    "folder_fault",
    "hide",
    "is_disk_fault",
    "look_at",
    "look_of_stat",
    "make_folders",
    "open_source",
    "place",
    "place_source",
    "put_back",
    "remove_source",
    "replace",
    "sha256_within",
    "sync_folder",
    "sync_way_down",
    "verify",
    "write_aside",
]
