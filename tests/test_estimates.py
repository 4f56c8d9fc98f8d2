"""How much a recognition may be billed for."""

import pytest

from dropscribe.estimates import BYTES_A_SECOND, LONGEST, billable, channels_of, guess
from dropscribe.model import MEDIA_SUFFIXES


def test_every_type_that_is_taken_has_its_guess() -> None:
    assert set(BYTES_A_SECOND) == MEDIA_SUFFIXES


@pytest.mark.parametrize(
    ("settings", "channels"),
    [("{}", 1), ('{"channel_id":[0]}', 1), ('{"channel_id":[0,1]}', 2), ('{"channel_id":[]}', 1)],
)
def test_each_channel_is_billed_on_its_own(settings: str, channels: int) -> None:
    assert channels_of(settings) == channels
    assert billable(10.0, settings) == 10.0 * channels


def test_a_guess_grows_with_the_size_and_ends_with_what_the_service_takes() -> None:
    assert guess(8_000, "mp3") < guess(16_000, "mp3") < guess(10**12, "mp3") == LONGEST
    assert guess(8_000, "xyz") > 0


@pytest.mark.parametrize(("suffix", "bitrate"), [("mp3", 128), ("m4a", 128), ("wav", 256), ("opus", 32), ("amr", 12)])
def test_an_ordinary_recording_is_not_guessed_to_be_shorter_than_it_is(suffix: str, bitrate: int) -> None:
    assert guess(bitrate * 1000 // 8 * 60, suffix) >= 60
