"""One booted machine for all tests here; each test begins with a stopped unit and empty folders."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from systemd.machine import Machine, Unit, missing


@pytest.fixture(scope="session")
def booted() -> Iterator[Machine]:
    why = missing()
    if why is not None:
        if os.environ.get("DROPSCRIBE_REQUIRE_SYSTEMD"):
            pytest.fail(f"no systemd can be booted: {why}")
        pytest.skip(why)
    machine = Machine(Path(tempfile.mkdtemp(prefix="systemd-lab-", dir="/run")))
    try:
        machine.boot()
        machine.install()
        yield machine
    finally:
        machine.power_off()


@pytest.fixture
def machine(booted: Machine) -> Iterator[Machine]:
    """With the sandbox running and one inbox, `talks`, configured."""
    booted.start_sandbox()
    booted.configure("talks")
    yield booted
    booted.run("systemctl stop dropscribe 'dropscribe@*'; systemctl reset-failed", check=False)
    booted.run("rm -rf /var/lib/dropscribe* /srv/dropscribe/* /etc/systemd/system/dropscribe.service.d/test.conf")
    booted.run("systemctl daemon-reload")


@pytest.fixture
def unit(machine: Machine) -> Unit:
    """dropscribe.service, started: `start` returns when it is READY."""
    unit = Unit(machine)
    unit.do("start")
    return unit
