"""What `dropscribe check` finds of what goes beside the flow: the port of the metrics, who is told of notices.

No notice is sent: its receiver would take it for a true one.
"""

import contextlib
import http.client
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from dropscribe.checks import Finding
from dropscribe.config.settings import NotifySettings, Settings
from dropscribe.ledger import is_held

LOOPBACK = "127.0.0.1"
PATIENCE = 5.0
"""Seconds for a connection."""
Connect = Callable[[str, int], socket.socket]


def metrics_port(settings: Settings) -> Iterator[Finding]:
    """Whether the port can be had, or is the running daemon's. Nothing where none is configured."""
    port = settings.metrics.port
    if port is None:
        return
    where, runs = f"{LOOPBACK}:{port}", is_held(settings.state)
    health = _health(port)
    if health is not None and runs:
        yield Finding("metrics", f"the daemon answers at {where}: {health}", health.startswith("ok"))
    elif (taken := _taken(port)) is not None:
        yield Finding("metrics", f"{where} cannot be had ({taken}): name another port as metrics.port", False)
    elif runs:
        yield Finding(
            "metrics", f"the daemon does not answer at {where}: reload it (SIGHUP) and look at its log", False
        )
    else:
        yield Finding("metrics", f"{where} is free")


def _health(port: int) -> str | None:
    """The first line of what `/healthz` says; None where nobody answers so."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read(1000).decode("utf-8", "replace").partition("\n")[0]
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return said if said.startswith(("ok", "not well")) and said.isprintable() else None


def _taken(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the daemon does
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _connect(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), PATIENCE)


def command(settings: NotifySettings) -> Iterator[Finding]:
    """Whether this user finds the program that is to be told, and may run it. It is not run."""
    if settings.command is None:
        return
    program = settings.command[0]
    found = shutil.which(program)
    if found is None:
        advice = "look at its path and its right to be executed (notify.command); no file waits for it"
        yield Finding("notify command", f"no program {program} is found that this user may run: {advice}", False)
    else:
        yield Finding("notify command", f"{found} is there; it was not run")


def webhook(settings: NotifySettings, connect: Connect = _connect) -> Iterator[Finding]:
    """Whether its host, or the proxy before it, can be reached, and for whom the certificate stands.

    Only the host is ever shown; the rest of the address may be a secret.
    """
    if settings.webhook is None:
        return
    url = urlsplit(settings.webhook.url.reveal())
    host, secure = url.hostname or "", url.scheme == "https"
    proxy = _proxy_of(url.scheme, host)
    try:
        if proxy is not None:
            connect(*proxy).close()
            yield Finding("webhook", f"the proxy before {host} can be reached; nothing was sent")
            return
        with contextlib.closing(connect(host, url.port or (443 if secure else 80))) as connection:
            if secure:
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except OSError as error:
        yield Finding("webhook", f"{host} cannot be reached ({_why(error)}): {_REMEDY}", False)
    else:
        yield Finding("webhook", f"{host} can be reached; nothing was sent")


_REMEDY = "look at notify.webhook.url, DNS, certificate and proxy; no file waits for it"


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    return "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)


def _proxy_of(scheme: str, host: str) -> tuple[str, int] | None:
    """The proxy that `remote.http` would use, by the environment."""
    proxy = getproxies().get(scheme)
    if proxy is None or host in ("localhost", LOOPBACK, "::1") or proxy_bypass(host):
        return None
    found = urlsplit(proxy)
    if found.hostname is None or found.scheme not in ("http", "https"):
        return None
    return found.hostname, found.port or (443 if found.scheme == "https" else 80)
