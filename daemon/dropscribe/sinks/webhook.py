"""Notices to an HTTP address, signed; each try on a connection of its own."""

import time
from collections.abc import Callable

from dropscribe.config.settings import WebhookSettings
from dropscribe.config.telling import webhook_key
from dropscribe.config.urls import host
from dropscribe.ledger.notices import Message
from dropscribe.message import signed_headers
from dropscribe.remote.http import Answer, Cut, Http, Timeouts, TooLarge, Unreached
from dropscribe.sinks import NotTold

TAKEN = range(200, 300)
ITS_OWN = frozenset({400, 409, 413, 415, 422})
"""Answers of a receiver that works and does not want this very message."""
LARGEST_ANSWER = 1024 * 1024
LONGEST_RETRY_AFTER = 3600.0
TIMEOUTS = Timeouts(connect=10.0, call=30.0)


class Webhook:
    """POSTs each message; taken is what is answered with 2xx."""

    name = "webhook"

    def __init__(self, settings: WebhookSettings, now: Callable[[], float] = time.time) -> None:
        """`now` stamps each try, in seconds since the epoch: receivers refuse what is old."""
        self._url, self._key = settings.url.reveal(), webhook_key(settings.secret)
        self._host = host(self._url)
        self._http = Http(timeouts=TIMEOUTS)
        self._now = now

    async def tell(self, message: Message, body: bytes) -> None:
        headers = signed_headers(message.id, int(self._now()), body, self._key)
        try:
            answer = await self._http.post_once(self._url, headers, body, LARGEST_ANSWER, lambda: True)
        except (Unreached, Cut) as error:
            raise NotTold(f"{self._host} did not answer: {error}") from None
        except TooLarge:
            return  # only a 2xx is read to its end
        if answer.status not in TAKEN:
            raise _refused(self._host, answer)

    async def close(self) -> None:
        await self._http.close()


def _refused(host_name: str, answer: Answer) -> NotTold:
    """Without the body: it may repeat what the address or the message hold."""
    return NotTold(f"{host_name} answered {answer.status}", answer.status in ITS_OWN, _retry_after(answer))


def _retry_after(answer: Answer) -> float | None:
    said = answer.headers.get("Retry-After", "")
    return min(LONGEST_RETRY_AFTER, float(said)) if said.isascii() and said.isdigit() else None
