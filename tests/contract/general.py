"""Rules for every request, whoever it goes to."""

import base64
from collections.abc import Iterator

from contract.asked import STUDIO, Asked
from contract.rules import of_request


@of_request("C1")
def is_known(asked: Asked) -> Iterator[str]:
    if not asked.call:
        yield f"no document knows {asked.method} {asked.path}"


@of_request("C2")
def secrets_stay_where_they_belong(asked: Asked) -> Iterator[str]:
    if asked.values("cookie"):
        yield "it carries cookies"
    bearer = any(value.startswith("Bearer") for value in asked.values("authorization"))
    if bearer and asked.call not in STUDIO:
        yield "an API key goes to somebody who is not Model Studio"


@of_request("C3")
def bodies_say_how_long_they_are(asked: Asked) -> Iterator[str]:
    if asked.values("transfer-encoding"):
        yield "its body comes in chunks, without a length"
    if asked.values("content-encoding"):
        yield "its body is encoded"
    lengths = asked.values("content-length")
    if len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths):
        yield f"its Content-Length is {lengths}"
    elif asked.body_size is not None and asked.body_size != int(lengths[0] if lengths else 0):
        yield f"its Content-Length is {lengths}, its body has {asked.body_size} bytes"


@of_request("C4")
def digests_are_those_of_the_body(asked: Asked) -> Iterator[str]:
    for given in asked.values("content-md5"):
        if asked.body_md5 is not None and given != base64.b64encode(asked.body_md5).decode():
            yield "its Content-MD5 is not that of its body"


@of_request("C5")
def is_for_one_host(asked: Asked) -> Iterator[str]:
    if len(asked.values("host")) != 1:
        yield f"it names {len(asked.values('host'))} hosts"
