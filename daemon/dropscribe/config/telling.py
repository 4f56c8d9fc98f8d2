"""Readers of what `notify` and `prices` hold: a command, the address of a webhook, its secret, prices by model."""

import base64
import binascii
import shlex
from collections.abc import Mapping

from dropscribe.config.models import MODELS
from dropscribe.config.reading import Flaw, Reported, Wrong
from dropscribe.config.urls import webhook
from dropscribe.config.values import list_of, number, text_of, token
from dropscribe.config.wording import listed, nearest
from dropscribe.config.yaml_lines import Broken, Items, Node, Table
from dropscribe.model import Secret

A_COMMAND = 'a command such as [/usr/local/bin/tell, "--now"], or one line of text'
SECRET_PREFIX = "whsec_"  # noqa: S105 - how the standard marks a secret; none itself
SHORTEST_SECRET = 16

_line = text_of(A_COMMAND)
_words = list_of(text_of("a word of the command"), A_COMMAND, least=1)
_webhook = webhook("https://example.com/dropscribe")


def command(node: Node) -> tuple[str, ...]:
    """The words of a command. A text is split as a shell would; no shell ever reads it."""
    if isinstance(node, Items):
        return _words(node)
    try:
        words = tuple(shlex.split(_line(node)))
    except ValueError as error:
        raise Wrong(f"cannot be split into words ({str(error).lower()}); right is {A_COMMAND}") from error
    if not words:
        raise Wrong(f"is empty; right is {A_COMMAND}")
    return words


def webhook_url(node: Node) -> Secret:
    """Hidden: many services put the key into the address."""
    return Secret(_webhook(node))


def webhook_secret(node: Node) -> Secret:
    """At least 16 characters; after `whsec_` base64, as the Standard Webhooks say."""
    text = token(node)
    if len(text) < SHORTEST_SECRET:
        raise Wrong(f"is too short to be safe; right are at least {SHORTEST_SECRET} characters")
    try:
        webhook_key(Secret(text))
    except binascii.Error as error:
        raise Wrong(f"begins with {SECRET_PREFIX}, and what follows is not base64; leave the beginning out") from error
    return Secret(text)


def webhook_key(secret: Secret) -> bytes:
    """The bytes that sign. Raises binascii.Error."""
    text = secret.reveal()
    if text.startswith(SECRET_PREFIX):
        return base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    return text.encode()


def prices_by_model(node: Node) -> Mapping[str, float]:
    """Prices of an hour by model."""
    if isinstance(node, Broken):
        raise Reported
    if not isinstance(node, Table):
        raise Wrong("is not a mapping; right are prices of an hour by model, such as {fun-asr: 0.79}")
    prices: dict[str, float] = {}
    flaws: list[Flaw] = []
    for model, value in node.entries.items():
        if model not in MODELS:
            near = nearest(model, MODELS) or f"; known are {listed(sorted(MODELS))}"
            flaws.append(Flaw(f"is not a model that is known{near}", f".{model}", value.line))
            continue
        try:
            prices[model] = _price(value)
        except Wrong as wrong:
            flaws += [Flaw(flaw.message, f".{model}{flaw.suffix}", flaw.line or value.line) for flaw in wrong.flaws]
    if flaws:
        raise Wrong(*flaws)
    return prices


_price = number(above=0, most=1_000_000)
