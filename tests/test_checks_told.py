"""`check` looks at the port of the metrics and at who is told of notices, and tells nobody anything."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clocks import ManualClock
from dropscribe.checks import Finding
from dropscribe.checks_told import command, metrics_port, webhook
from dropscribe.config.settings import MetricsSettings, NotifySettings, Settings, WebhookSettings
from dropscribe.ledger import Ledger
from dropscribe.model import Secret
from houses import furnished
from lab import free_port
from receivers import receiving


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    with furnished(tmp_path, ManualClock()) as house:
        return house.settings


def metrics(settings: Settings, port: int | None) -> list[Finding]:
    return list(metrics_port(replace(settings, metrics=MetricsSettings(port))))


def told(url: str) -> Finding:
    [found] = webhook(NotifySettings(webhook=WebhookSettings(Secret(url), Secret("whsec_c2VjcmV0"))))
    return found


@contextmanager
def answering(said: bytes) -> Iterator[int]:
    """Somebody at a port who says `said`, whatever is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_where_nothing_is_configured_nothing_is_said(settings: Settings) -> None:
    assert metrics(settings, None) == []
    assert list(webhook(NotifySettings())) == list(command(NotifySettings())) == []


def test_a_free_port_is_well(settings: Settings) -> None:
    [found] = metrics(settings, free_port())
    assert found.ok and found.text.endswith("is free")


def test_a_port_that_somebody_else_has_is_not(settings: Settings) -> None:
    with answering(b"<html>") as port:
        [found] = metrics(settings, port)
    assert not found.ok and "name another port as metrics.port" in found.text


@pytest.mark.parametrize(("said", "ok"), [(b"ok\n", True), (b"not well: the disk is full\n", False)])
def test_what_the_running_daemon_answers_is_told(settings: Settings, said: bytes, ok: bool) -> None:
    ledger = Ledger(settings.state)
    try:
        with answering(said) as port:
            [found] = metrics(settings, port)
    finally:
        ledger.close()
    assert (found.ok, found.text) == (ok, f"the daemon answers at 127.0.0.1:{port}: {said.decode().strip()}")


def test_a_running_daemon_that_does_not_serve_the_port_is_to_be_reloaded(settings: Settings) -> None:
    ledger = Ledger(settings.state)
    try:
        [found] = metrics(settings, free_port())
    finally:
        ledger.close()
    assert not found.ok and "reload it (SIGHUP)" in found.text


def test_a_command_that_can_be_run_is_well_and_is_not_run(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\ntouch {told}\n")
    program.chmod(0o755)
    [found] = command(NotifySettings(command=(str(program), "--to", "the office")))
    assert found.ok and str(program) in found.text
    assert not told.exists()


def test_a_command_that_cannot_be_run_is_not(tmp_path: Path) -> None:
    (tmp_path / "tell").write_text("#!/bin/sh\n")
    for program in (str(tmp_path / "tell"), str(tmp_path / "missing"), "no-such-program-anywhere"):
        [found] = command(NotifySettings(command=(program,)))
        assert not found.ok and program in found.text and "notify.command" in found.text


def test_the_webhooks_host_is_reached_and_told_nothing() -> None:
    with receiving() as receiver:
        found = told(receiver.url)

    assert found.ok and "127.0.0.1 can be reached; nothing was sent" in found.text
    assert receiver.calls == []


def test_a_webhook_that_nobody_answers_shows_its_host_alone() -> None:
    found = told(f"http://127.0.0.1:{free_port()}/hook?key=of-the-address")

    assert not found.ok and "127.0.0.1 cannot be reached (Connection refused)" in found.text
    assert "of-the-address" not in found.text


def test_a_host_that_speaks_no_tls_is_no_place_for_https() -> None:
    with receiving() as receiver:
        found = told(receiver.url.replace("http://", "https://"))
    assert not found.ok
    assert receiver.calls == []


def test_where_there_is_a_proxy_it_is_the_proxy_that_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        found = told("https://hooks.example/hook")
    assert (found.ok, found.text) == (True, "the proxy before hooks.example can be reached; nothing was sent")
