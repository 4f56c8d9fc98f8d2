"""What a service manager is told (systemd's sd_notify protocol): one datagram, lines of NAME=VALUE.

https://www.freedesktop.org/software/systemd/man/252/sd_notify.html
"""

import contextlib
import os
import re
import socket
import time
from collections.abc import MutableMapping

_MICROS = re.compile(r"[0-9]{1,20}")  # 64 bits
LONGEST_STATUS = 400
"""Characters; `systemctl status` shows one line."""


class Notifier:
    """Tells the manager, or nobody where there is none. A manager that does not listen stops nothing."""

    def __init__(self, address: str | None, watchdog: float | None = None) -> None:
        """`address` as in $NOTIFY_SOCKET: a path, or `@name` in the abstract namespace. `watchdog`: seconds within
        which the manager wants to hear from us.
        """
        self._address = address
        self.watchdog = watchdog

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str], pid: int) -> "Notifier":
        """What the manager wrote into the environment is taken out of it: it is not meant for our own children."""
        address, micros, whose = (environ.pop(n, None) for n in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"))
        number = int(micros) if micros is not None and _MICROS.fullmatch(micros) else 0
        return cls(address, number / 1e6 if number and whose in (None, str(pid)) else None)

    @property
    def listened_to(self) -> bool:
        return self._address is not None

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=stopping: what is begun is recorded, uploads are cut and go on later")

    def reloading(self) -> None:
        """`ready` must follow. From version 253 on the manager also wants to know when it was said."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def status(self, line: str) -> None:
        self._send(f"STATUS={' '.join(line.split())[:LONGEST_STATUS]}")

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        where = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK  # a stuck manager must not hold the loop
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as out:
            out.sendto(os.fsencode("\n".join(lines)), os.fsencode(where))
