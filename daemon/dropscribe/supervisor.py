"""The rooms that run, by name: begun, watched, ended."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Supervisor:
    """A room never ends by itself: a bug in its loop stops the daemon, and systemd starts it anew."""

    def __init__(self, on_bug: Callable[[], None]) -> None:
        """`on_bug` is called when a room has ended with an exception; `bug` is the first of these."""
        self._on_bug = on_bug
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.bug: BaseException | None = None

    def spawn(self, name: str, room: Coroutine[Any, Any, None]) -> None:
        """Begin a room."""
        task = asyncio.create_task(room, name=name)
        task.add_done_callback(self._ended)
        self.tasks[name] = task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or task.exception() is None:
            return
        log.critical("daemon.bug", room=task.get_name(), exc_info=task.exception())
        self.bug = self.bug or task.exception()
        self._on_bug()

    def ended(self) -> list[str]:
        """Names of rooms that have ended with an exception."""
        return [name for name, task in self.tasks.items() if task.done() and not task.cancelled() and task.exception()]

    def unfinished(self, beginning: str) -> list["asyncio.Task[None]"]:
        """The rooms whose names begin so and that have not ended."""
        return [task for name, task in self.tasks.items() if name.startswith(beginning) and not task.done()]

    async def cancel(self, *beginnings: str) -> None:
        """End the rooms whose names begin so."""
        chosen = [task for name, task in self.tasks.items() if name.startswith(beginnings)]
        for task in chosen:
            task.cancel()
        await asyncio.gather(*chosen, return_exceptions=True)
