"""A fault of the disk is told from one of a file, with what to do."""

import errno
import os

import pytest

from dropscribe.disk import folder_fault, is_disk_fault


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EROFS", "ESTALE", "EACCES", "EPERM", "EMFILE"])
def test_space_rights_disk_and_share_are_no_fault_of_a_file(name: str) -> None:
    code = getattr(errno, name)
    error = OSError(code, os.strerror(code))

    assert is_disk_fault(error)
    fault = folder_fault(error, "/srv/out")
    assert (fault.scope, fault.code) == ("folder:/srv/out", name)
    assert "/srv/out" in fault.message and fault.remedy


@pytest.mark.parametrize("error", [FileExistsError(17, "x"), FileNotFoundError(2, "x"), OSError("no number")])
def test_what_stands_or_is_missing_is_no_fault_of_the_disk(error: OSError) -> None:
    assert not is_disk_fault(error)
