"""HTTP against answers that are made to hold, to fill or to lead astray whoever reads them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dropscribe.remote.http import Cut, Http, Timeouts, TooLarge, Unreached
from remote.servers import answering, raw_server, response

LARGEST = 64 * 1024
BOMB = gzip.compress(bytes(50_000_000))
PATIENT = Timeouts(connect=10, call=10, stall=10, download=10)


@asynccontextmanager
async def http(timeouts: Timeouts = PATIENT) -> AsyncIterator[Http]:
    client = Http(timeouts=timeouts, proxies={})
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("how", ["get", "fetch"])
async def test_a_short_answer_that_unfolds_into_a_long_one_is_given_up(how: str, encoding: str) -> None:
    assert len(BOMB) < LARGEST
    async with answering(response(200, BOMB, Content_Encoding=encoding)) as server, http() as client:
        with pytest.raises((TooLarge, Cut)):
            if how == "get":
                await client.get(f"{server.url}/x", {}, LARGEST)
            else:
                await client.fetch(f"{server.url}/x", LARGEST, inside=True)


async def test_an_error_that_unfolds_into_a_long_one_is_read_as_far_as_it_is_needed() -> None:
    async with answering(response(500, BOMB, Content_Encoding="gzip")) as server, http() as client:
        answer = await client.get(f"{server.url}/x", {}, LARGEST)

    assert (answer.status, len(answer.data)) == (500, LARGEST)


async def test_a_result_that_never_ends_is_given_up_however_steadily_it_comes() -> None:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2000):
            writer.write(b"1\r\nx\r\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with raw_server(act) as server, http(Timeouts(stall=5, download=0.1)) as client:
        with pytest.raises(Cut, match="in time"):
            await client.fetch(f"{server.url}/x", LARGEST, inside=True)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"HTTP/1.1 200 X\r\nA: " + b"b" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/9.9 abc\r\n\r\n",
        b"\x00\xff\x1b[2J",
    ],
    ids=["many headers", "a long header", "a huge length", "a negative length", "no gzip", "no status", "no http"],
)
@pytest.mark.parametrize("how", ["get", "fetch"])
async def test_an_answer_that_is_none_ends_in_words_of_ours(how: str, answer: bytes) -> None:
    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        writer.write(answer)

    async with raw_server(act) as server, http() as client:
        try:
            if how == "get":
                await client.get(f"{server.url}/x", {}, LARGEST)
            else:
                await client.fetch(f"{server.url}/x", LARGEST, inside=True)
        except (Cut, TooLarge) as said:
            assert str(said).isprintable()


async def test_a_name_that_leads_to_this_machine_keeps_no_results_of_a_service_elsewhere() -> None:
    async with answering(response(200, b"{}")) as server, http() as client:
        with pytest.raises(Unreached, match="leads to this machine"):
            await client.fetch(f"http://localhost:{server.port}/x", LARGEST)
        assert server.connections == 0

        assert (await client.fetch(f"http://localhost:{server.port}/x", LARGEST, inside=True)).data == b"{}"


async def test_a_result_that_moves_is_asked_for_with_nothing_but_its_address() -> None:
    moved = response(302, b"", Location="/b?s=%2B", Set_Cookie="a=b", WWW_Authenticate="Basic")
    async with answering(moved, response(200, b"ok")) as server, http() as client:
        assert (await client.fetch(f"{server.url}/a", LARGEST, inside=True)).data == b"ok"

    assert server.requests[1].startswith(b"GET /b?s=%2B HTTP/1.1\r\n")
    fields = {line.split(b":")[0].lower() for line in server.requests[1].split(b"\r\n")[1:] if line}
    assert fields <= {b"host", b"accept", b"accept-encoding", b"user-agent"}
