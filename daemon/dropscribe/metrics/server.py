"""`/metrics` and `/healthz` on 127.0.0.1: nobody else's business, and no web page's either.

A page in a browser on this machine could reach a loopback port under a name of its own (DNS rebinding): requests whose
Host is not this machine's are refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

import structlog
from aiohttp import web
from sqlalchemy import Connection

from dropscribe import __version__
from dropscribe.allowance import Balance
from dropscribe.house import House
from dropscribe.ledger import spending
from dropscribe.ledger.figures import Figures, figures
from dropscribe.metrics.exposition import Picture, kinds, text_of
from dropscribe.metrics.pulse import Pulse

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ADDRESS = "127.0.0.1"
HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
FRESH = 2.0
"""Seconds for which what was read is shown again."""
FAREWELL = 1.0


class Server:
    """One port, from its opening to its end."""

    def __init__(self, house: House, threads: Executor, ended: Callable[[], Sequence[str]]) -> None:
        """`threads` look at the ledger beside everybody else; `ended` names the rooms that have ended."""
        self._house = house
        self._threads = threads
        self._pulse = Pulse(house, threads, ended)
        self._picture: tuple[float, Picture] | None = None
        self._reading = asyncio.Lock()

    async def serve(self, port: int) -> None:
        """Answer until cancelled. Raises OSError where the port cannot be had."""
        app = web.Application(middlewares=[_only_from_here])
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._health)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=FAREWELL)
        await runner.setup()
        try:
            await web.TCPSite(runner, ADDRESS, port).start()
            log.info("metrics.serving", address=f"http://{ADDRESS}:{port}/metrics")
            await self._pulse.run()
        finally:
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        body, content_type = text_of(await self._fresh(), request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _health(self, _: web.Request) -> web.Response:
        trouble = self._pulse.trouble()
        if trouble is not None:
            return web.Response(status=503, text=f"not well: {trouble.sentence}\n")
        waiting = sorted(kinds(scope.name for scope in self._house.scopes.open_scopes()))
        said = f"ok; waiting for: {', '.join(waiting)}" if waiting else "ok"
        return web.Response(text=f"{said}\n")

    async def _fresh(self) -> Picture:
        async with self._reading:
            now = self._house.clock.monotonic()
            if self._picture is None or now - self._picture[0] >= FRESH:
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(self._threads, self._house.ledger.look_now, _read)
                self._picture = (now, self._drawn(*found))
            return self._picture[1]

    def _drawn(self, counts: Figures, spent: float, reserved: float, balances: tuple[Balance, ...]) -> Picture:
        open_now = tuple(scope.name for scope in self._house.scopes.open_scopes())
        return Picture(self._house.clock.now(), counts, open_now, spent, reserved, balances, __version__)


def _read(connection: Connection) -> tuple[Figures, float, float, tuple[Balance, ...]]:
    reserved = spending.usage(connection, 0.0).reserved
    return figures(connection), spending.total(connection), reserved, spending.balances(connection)


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    name, _, port = request.host.rpartition(":")
    host = name if name and port.isdigit() else request.host
    if host.lower() not in HOSTS:
        raise web.HTTPMisdirectedRequest(text="this address answers to 127.0.0.1 and localhost only\n")
    return await handler(request)
