"""A webhook gets signed messages; only a 2xx is taken for an answer."""

import base64
import hashlib
import hmac
import socket
from collections.abc import Iterator

import pytest

from dropscribe.config.settings import WebhookSettings
from dropscribe.ledger.notices import Message
from dropscribe.model import Secret
from dropscribe.sinks import NotTold
from dropscribe.sinks.webhook import Webhook
from receivers import Receiver, receiving

MESSAGE = Message("msg_1", "webhook", "delivered", 0, ())
SECRET = "whsec_" + base64.b64encode(b"the key that signs it").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def webhook(url: str) -> Webhook:
    return Webhook(WebhookSettings(Secret(url), Secret(SECRET)), lambda: 1_795_000_000.7)


async def test_the_receiver_can_verify_what_it_gets(receiver: Receiver) -> None:
    await webhook(receiver.url).tell(MESSAGE, b'{"a":1}')

    [call] = receiver.calls
    signed = b"msg_1.1795000000." + call.body
    expected = base64.b64encode(hmac.new(b"the key that signs it", signed, hashlib.sha256).digest()).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    assert (call.path, call.headers["content-type"]) == ("/hook?key=of-the-address", "application/json")


@pytest.mark.parametrize(("status", "its_own"), [(500, False), (404, False), (302, False), (400, True), (413, True)])
async def test_any_other_answer_is_not_taken(receiver: Receiver, status: int, its_own: bool) -> None:
    receiver.answers = lambda number: status

    with pytest.raises(NotTold, match=f"127.0.0.1 answered {status}$") as caught:
        await webhook(receiver.url).tell(MESSAGE, b"{}")

    assert caught.value.its_own == its_own
    assert len(receiver.calls) == 1


async def test_a_receiver_may_say_when_to_come_again(receiver: Receiver) -> None:
    receiver.answers, receiver.headers = lambda number: 429, {"Retry-After": "120"}

    with pytest.raises(NotTold) as caught:
        await webhook(receiver.url).tell(MESSAGE, b"{}")

    assert caught.value.retry_after == 120.0


async def test_nobody_there_is_said_without_the_address() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/private?key=secret"

        with pytest.raises(NotTold, match=r"127\.0\.0\.1 did not answer") as caught:
            await webhook(url).tell(MESSAGE, b"{}")

    assert "private" not in str(caught.value)
