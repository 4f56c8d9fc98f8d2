"""The set of a file's outputs shares one stem, and nothing that dropscribe did not write is ever replaced."""

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.ledger.rows import Owner
from dropscribe.model import MediaState
from dropscribe.naming import LAST_ATTEMPT, Standing, first_free, first_free_with_error, numbers, standing, stems
from examples import owed_media

FORMATS = (("srt", "srt"), ("json", "json"))
OURS, EARLIER, EDITED = "11" * 32, "22" * 32, "33" * 32

MEDIA = owed_media(inbox="in", path=b"a/talk.mp3", state="due")


def owner(
    media_id: int = 7,
    inbox: str = "in",
    source: bytes = b"a/talk.mp3",
    content: str = "aa" * 32,
    state: MediaState = "delivered",
    replaces: str = "",
) -> Owner:
    return Owner(media_id, inbox, source, content, state, OURS, replaces)


EARLIER_OF_SAME_CONTENT = owner(3)
EARLIER_OF_OTHER_CONTENT = owner(3, content="bb" * 32)
OTHER_PATH = owner(3, source=b"a/talk.wav")
OTHER_INBOX = owner(3, inbox="other")
BEING_DELIVERED = owner(3, source=b"a/talk.wav", state="delivering")


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize(
    ("whose", "found", "expected"),
    [
        (None, None, Standing.FREE),
        (OTHER_PATH, None, Standing.FREE),
        (None, OURS, Standing.FOREIGN),
        (None, "", Standing.FOREIGN),
        (owner(), OURS, Standing.OURS),
        (owner(), EDITED, Standing.FOREIGN),
        (owner(), "", Standing.FOREIGN),
        (owner(replaces=EARLIER), EARLIER, Standing.OURS),
        (owner(replaces=EARLIER), OURS, Standing.OURS),
        (EARLIER_OF_SAME_CONTENT, OURS, Standing.OURS),
        (EARLIER_OF_SAME_CONTENT, EDITED, Standing.FOREIGN),
        (OTHER_PATH, OURS, Standing.FOREIGN),
        (OTHER_INBOX, OURS, Standing.FOREIGN),
        (BEING_DELIVERED, None, Standing.FOREIGN),
        (owner(state="delivering"), None, Standing.FREE),
        (owner(state="delivering"), OURS, Standing.OURS),
    ],
    ids=[
        "nothing, nobody's",
        "nothing, once another's",
        "nobody's we know",
        "a link or folder",
        "ours",
        "ours, edited",
        "a link in our place",
        "what ours was to replace",
        "what replaced ours",
        "an earlier delivery of the same source",
        "the same, edited",
        "another source's",
        "another inbox's",
        "reserved by another delivery",
        "reserved by this delivery",
        "placed by this delivery before a crash",
    ],
)
def test_a_name_is_free_ours_or_foreign(
    whose: Owner | None, found: str | None, expected: Standing, keeps: bool
) -> None:
    assert standing(MEDIA, whose, found, keeps) is expected


@pytest.mark.parametrize(("keeps", "expected"), [(True, Standing.OURS), (False, Standing.FOREIGN)])
def test_other_content_under_the_same_name_is_the_same_source_only_where_sources_are_kept(
    keeps: bool, expected: Standing
) -> None:
    assert standing(MEDIA, EARLIER_OF_OTHER_CONTENT, OURS, keeps) is expected


def test_the_stems_are_tried_in_order_and_each_set_shares_one() -> None:
    first, second, third, fourth = islice(stems(MEDIA, FORMATS, ()), 4)

    assert first == (b"a/talk.srt", b"a/talk.json")
    assert second == (b"a/talk.mp3.srt", b"a/talk.mp3.json")
    assert third[0].startswith(b"a/talk.mp3~") and third[0][:-4] == third[1][:-5]
    assert len({*first, *second, *third, *fourth}) == 8


def test_what_an_interrupted_delivery_reserved_is_tried_first() -> None:
    tried = list(stems(MEDIA, FORMATS, (b"a/talk.mp3.json",)))

    assert tried[0] == (b"a/talk.mp3.srt", b"a/talk.mp3.json") and tried[1] == (b"a/talk.srt", b"a/talk.json")
    assert len(tried) == LAST_ATTEMPT == len(list(stems(MEDIA, FORMATS, ())))


def test_names_reserved_in_another_outbox_change_nothing() -> None:
    assert list(stems(MEDIA, FORMATS, (b"../old-outbox/a/talk.json",))) == list(stems(MEDIA, FORMATS, ()))


def test_stems_are_the_same_after_a_crash_and_differ_between_inboxes_and_contents() -> None:
    third = [list(stems(media, FORMATS, ()))[2] for media in (MEDIA, MEDIA)]
    others = [replace(MEDIA, inbox="other"), replace(MEDIA, sha256="cc" * 32)]

    assert third[0] == third[1]
    assert all(list(stems(media, FORMATS, ()))[2] != third[0] for media in others)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (set(), b"a/talk.mp3"),
        ({b"a/talk.mp3"}, b"a/talk~2.mp3"),
        ({b"a/talk.mp3", b"a/talk~2.mp3", b"a/talk~4.mp3"}, b"a/talk~3.mp3"),
    ],
)
def test_a_moved_source_gets_the_first_free_name(taken: set[bytes], expected: bytes) -> None:
    assert first_free(b"a/talk.mp3", taken.__contains__) == expected


@pytest.mark.parametrize("taken", [b"talk.mp3", b"talk.mp3.error.json"])
def test_a_failed_source_and_its_error_file_get_a_name_that_is_free_for_both(taken: bytes) -> None:
    assert first_free_with_error(b"talk.mp3", {taken}.__contains__) == b"talk~2.mp3"


@given(st.binary(min_size=1, max_size=255).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b"..")))
def test_numbered_names_are_names_and_never_repeat(name: bytes) -> None:
    found = list(islice(numbers(name), 12))

    assert len(set(found)) == 12 and found[0] == name
    assert all(b"/" not in one and 0 < len(one) <= 255 for one in found)
