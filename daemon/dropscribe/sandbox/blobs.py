"""Bytes of objects: small ones in memory up to a limit, all others in files of a temporary folder."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from fastcrc import crc64

SMALL = 64 * 1024
CHUNK = 256 * 1024
_POLYNOMIAL = 0xC96C5795D7870F42  # CRC-64/XZ, bit-reflected


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of bytes, in memory (`data`) or in a file."""

    size: int
    crc64: int
    md5: bytes
    data: bytes | None
    path: Path | None


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of one object: its pieces in order (one, or the parts of a multipart upload)."""

    pieces: tuple[Piece, ...]
    size: int
    crc64: int
    etag: str

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, in chunks of at most 256 KiB."""
        position, end = 0, self.size if stop is None else stop
        for piece in self.pieces:
            first, last = max(start - position, 0), min(end - position, piece.size)
            if first < last:
                yield from _piece_chunks(piece, first, last)
            position += piece.size

    def read(self) -> bytes:
        """All bytes at once; only for small blobs."""
        return b"".join(self.chunks())


def one_piece(piece: Piece) -> Blob:
    """An object that was put in one request."""
    return Blob((piece,), piece.size, piece.crc64, piece.md5.hex().upper())


def many_pieces(pieces: tuple[Piece, ...]) -> Blob:
    """An object made of parts; its CRC is that of the whole, its ETag OSS's `<hash>-<parts>`."""
    crc = 0
    for piece in pieces:
        crc = combined_crc64(crc, piece.crc64, piece.size)
    digest = hashlib.md5(b"".join(p.md5 for p in pieces), usedforsecurity=False).hexdigest().upper()
    return Blob(pieces, sum(p.size for p in pieces), crc, f"{digest}-{len(pieces)}")


def combined_crc64(first: int, second: int, second_size: int) -> int:
    """The CRC-64/XZ of two stretches in a row, from their own CRCs and the length of the second."""
    return _multiply(first, _power_of_x(8 * second_size)) ^ second


def _multiply(a: int, b: int) -> int:
    """a * b modulo the polynomial, bit-reflected: the highest bit is x^0."""
    product = 0
    for bit in range(63, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def _power_of_x(exponent: int) -> int:
    result, square = 1 << 63, 1 << 62
    while exponent:
        if exponent & 1:
            result = _multiply(result, square)
        square, exponent = _multiply(square, square), exponent >> 1
    return result


def _piece_chunks(piece: Piece, first: int, last: int) -> Iterator[bytes]:
    if piece.data is not None:
        yield piece.data[first:last]
        return
    assert piece.path is not None
    with open(piece.path, "rb") as file:
        file.seek(first)
        while first < last and (chunk := file.read(min(CHUNK, last - first))):
            first += len(chunk)
            yield chunk


class Body(Protocol):
    """A request's body, as it arrives."""

    async def read(self) -> bytes: ...

    def iter_any(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class InMemory:
    """A body that has been read already."""

    data: bytes

    async def read(self) -> bytes:
        return self.data

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.data


class _BlobBody:
    def __init__(self, blob: Blob) -> None:
        self._blob = blob

    async def read(self) -> bytes:
        return self._blob.read()

    async def iter_any(self) -> AsyncIterator[bytes]:
        for chunk in self._blob.chunks():
            yield chunk


class BlobStore:
    """Takes bytes in and lets them go. Pieces in memory never exceed `memory_limit` bytes together."""

    def __init__(self, folder: Path, memory_limit: int) -> None:
        self._folder = folder
        self._memory_limit = memory_limit
        self._count = 0
        self.in_memory = 0

    async def take(self, body: Body, size: int | None) -> Piece:
        """Read a whole body of `size` bytes (None: unknown). A body that breaks off leaves nothing behind."""
        if size is not None and size <= SMALL and self.in_memory + size <= self._memory_limit:
            return await self._keep(body, size)
        return await self._write(body)

    async def copy(self, blob: Blob) -> Piece:
        """The same bytes once more, for an object of their own."""
        return await self.take(_BlobBody(blob), blob.size)

    async def _keep(self, body: Body, size: int) -> Piece:
        self.in_memory += size
        try:
            data = await body.read()
            return Piece(len(data), crc64.xz(data), _md5(data), data, None)
        except BaseException:
            self.in_memory -= size
            raise

    async def _write(self, body: Body) -> Piece:
        self._count += 1
        path = self._folder / str(self._count)
        try:
            with open(path, "xb") as file:  # noqa: ASYNC230 - one write into the page cache, no thread is cheaper
                return await _copy(body, file, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def drop(self, blob: Blob) -> None:
        """Let the bytes of a deleted or replaced object go. Readers that hold an open file finish."""
        for piece in blob.pieces:
            self.drop_piece(piece)

    def drop_piece(self, piece: Piece) -> None:
        if piece.path is None:
            self.in_memory -= piece.size
        else:
            piece.path.unlink(missing_ok=True)


async def _copy(body: Body, file: BinaryIO, path: Path) -> Piece:
    size, crc, md5 = 0, 0, hashlib.md5(usedforsecurity=False)
    async for chunk in body.iter_any():
        file.write(chunk)
        md5.update(chunk)
        crc = crc64.xz(chunk, crc)
        size += len(chunk)
    return Piece(size, crc, md5.digest(), None, path)


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def content_md5(digest: bytes) -> str:
    """The form of a digest in a Content-MD5 header."""
    return base64.b64encode(digest).decode()
