"""A sandbox in a thread of its own, for tests and demonstrations that are not asyncio."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dropscribe.sandbox.faults import Fault
from dropscribe.sandbox.saving import Saved
from dropscribe.sandbox.server import Sandbox
from dropscribe.sandbox.settings import SandboxSettings

T = TypeVar("T")


class RunningSandbox:
    """Safe from any thread. `sandbox` itself belongs to the other thread's event loop."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self.sandbox, self._loop = sandbox, loop

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self.sandbox.url

    @property
    def settings(self) -> SandboxSettings:
        return self.sandbox.settings

    def state(self) -> dict[str, Any]:
        """See `Sandbox.state`."""
        return self._do(self.sandbox.state)

    def inject(self, call: str, does: str, **how: Any) -> None:
        """Set a fault; the names are those of `Fault`. Raises ValueError."""
        fault = Fault(call, does, **how)
        self._do(lambda: self.sandbox.inject(fault))

    def clear_faults(self) -> None:
        self._do(self.sandbox.clear_faults)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        self._do(lambda: self.sandbox.advance(seconds))

    def change(self, **settings: Any) -> None:
        """Replace settings, by the names of `SandboxSettings`. Raises ValueError."""
        self._do(lambda: self.sandbox.change(settings))

    def save(self) -> Saved:
        """See `Sandbox.save`."""
        return self._do(self.sandbox.save)

    def restore(self, state: Saved) -> None:
        """See `Sandbox.restore`."""
        self.wait_for(self.sandbox.restore(state))

    def _do(self, act: Callable[[], T]) -> T:
        async def acting() -> T:
            return act()

        return self.wait_for(acting())

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something in the sandbox's event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@contextmanager
def running_sandbox(settings: SandboxSettings | None = None) -> Iterator[RunningSandbox]:
    """Start a sandbox on `settings.port` (0: a free one); stop it at the end. Raises OSError where that is taken."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    running = RunningSandbox(Sandbox(settings), loop)
    try:
        running.wait_for(running.sandbox.start())
        try:
            yield running
        finally:
            running.wait_for(running.sandbox.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
