"""What goes beside the flow and never holds up a file: notices, the spend guard, metrics. `service` runs them."""

import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dropscribe.budget import Budget
from dropscribe.config.settings import NotifySettings, secrets_of
from dropscribe.durations import Durations
from dropscribe.house import House
from dropscribe.metrics.room import Metrics
from dropscribe.notify import Notifier
from dropscribe.sinks import Sink
from dropscribe.sinks.command import Command
from dropscribe.sinks.webhook import Webhook

LAST_NEWS = 5.0
"""Seconds for what is still to be told when a run ends by itself."""


class Companions:
    """Built with the house, run with its rooms, stopped with them."""

    def __init__(
        self,
        house: House,
        on_room: Callable[[], None],
        on_due: Callable[[], None],
        ended: Callable[[], Sequence[str]],
    ) -> None:
        """`on_room` and `on_due`: see `Budget`; `ended` names the rooms that have ended."""
        self._house = house
        self._secrets = set(secrets_of(house.settings))
        self._durations = Durations()
        self._measuring = ThreadPoolExecutor(1, thread_name_prefix="durations")
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self.budget = Budget(house, self._measuring, self._durations, on_room, on_due)
        self._notifier = Notifier(house, self._sinks)
        self._metrics = Metrics(house, self._looking, ended)

    def rooms(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Name and work of each."""
        yield "budget", self.budget.run()
        yield "notify", self._notifier.run()
        yield "metrics", self._metrics.run()

    def reload(self) -> None:
        """The configuration of the house has changed."""
        self._secrets.update(secrets_of(self._house.settings))
        self.budget.wake.set()
        self._notifier.reload()
        self._metrics.reload()

    async def last_news(self) -> None:
        """Tell what there is to be told; the rooms have ended before."""
        await self._notifier.flush(LAST_NEWS)

    def close(self) -> None:
        """The threads end by themselves; the child that measures is killed."""
        self._durations.close()
        for pool in (self._measuring, self._looking):
            pool.shutdown(wait=False, cancel_futures=True)

    def _sinks(self, settings: NotifySettings) -> list[Sink]:
        sinks: list[Sink] = []
        if settings.command is not None:
            sinks.append(Command(settings.command, settings.timeout, os.environ, self._secrets))
        if settings.webhook is not None:
            sinks.append(Webhook(settings.webhook, self._house.clock.now))
        return sinks
