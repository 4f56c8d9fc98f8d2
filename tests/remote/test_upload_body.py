"""What is read from a source while it is uploaded."""

import contextlib
import io

import pytest

from dropscribe.errors import SourceChanged
from dropscribe.remote.upload_body import UploadBody


class Breaking(io.RawIOBase):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, amount: int = -1) -> bytes:
        raise self.error


def test_exactly_as_many_bytes_are_read_as_were_promised():
    source = io.BytesIO(b"0123456789")

    body = UploadBody(source, 7)

    assert (body.len, body.read(4), body.read(), body.read()) == (7, b"0123", b"456", b"")
    assert source.read() == b"789"


def test_a_source_that_ends_early_has_changed():
    body = UploadBody(io.BytesIO(b"0123"), 7)
    body.read(4)

    with pytest.raises(SourceChanged, match="3 bytes early"):
        body.carried(lambda data: data.read(4))


@pytest.mark.parametrize("error", [OSError(5, "EIO"), BrokenPipeError(), KeyboardInterrupt(), ValueError("stop")])
def test_a_fault_of_the_source_wins_over_whatever_the_library_makes_of_it(error):
    body = UploadBody(Breaking(error), 7)

    def library(data):
        try:
            data.read(1)
        except BaseException:
            raise ConnectionError("the library's own words") from None

    with pytest.raises(type(error)) as caught:
        body.carried(library)

    assert caught.value is error


def test_a_fault_of_the_source_that_the_library_swallows_comes_through():
    body = UploadBody(Breaking(BrokenPipeError()), 7)

    def library(data):
        with contextlib.suppress(Exception):
            data.read(1)
        return "stored"

    with pytest.raises(BrokenPipeError):
        body.carried(library)


def test_a_fault_of_the_library_stays_its_own():
    with pytest.raises(LookupError):
        UploadBody(io.BytesIO(b"x"), 1).carried(lambda data: {}["no"])
