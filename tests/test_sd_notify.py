"""What a service manager hears, and that one who does not listen stops nothing."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropscribe.sd_notify import LONGEST_STATUS, Notifier


class Manager:
    """The other side: a datagram socket."""

    def __init__(self, where: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + where[1:] if where.startswith("@") else where)
        self._socket.settimeout(5)

    def heard(self) -> dict[str, str]:
        lines = self._socket.recv(65536).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@dropscribe-test-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    manager = Manager(address)
    yield manager
    manager.close()


def test_each_word_reaches_a_manager_under_a_path_or_an_abstract_name(manager: Manager, address: str) -> None:
    notifier = Notifier(address)
    notifier.ready()
    assert manager.heard() == {"READY": "1"}
    notifier.alive()
    assert manager.heard() == {"WATCHDOG": "1"}
    notifier.stopping()
    assert manager.heard()["STOPPING"] == "1"


def test_a_reload_carries_the_moment_it_began(manager: Manager, address: str) -> None:
    Notifier(address).reloading()
    heard = manager.heard()
    assert heard["RELOADING"] == "1" and int(heard["MONOTONIC_USEC"]) > 0


def test_a_status_is_one_line_however_it_was_written(manager: Manager, address: str) -> None:
    Notifier(address).status("idle\nREADY=1 " + "x" * 1000)
    [(name, line)] = manager.heard().items()
    assert (name, line[:12], len(line)) == ("STATUS", "idle READY=1", LONGEST_STATUS)


@pytest.mark.parametrize("where", [None, "/nowhere/at/all", "@nobody-listens-here"])
def test_without_a_listener_nothing_happens(where: str | None) -> None:
    Notifier(where).ready()


def test_the_environment_is_read_once_and_not_left_to_children() -> None:
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7", "PATH": "/bin"}
    notifier = Notifier.from_environment(environ, 7)
    assert notifier.listened_to and notifier.watchdog == 3.0
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environ",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}],
)
def test_a_watchdog_that_waits_for_somebody_else_is_not_fed(environ: dict[str, str]) -> None:
    assert Notifier.from_environment(environ, 7).watchdog is None
