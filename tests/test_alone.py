"""One of many that fails at what works for others must not shut the way for all."""

from dropscribe.alone import Alone


def test_the_first_failure_tells_nothing() -> None:
    alone = Alone()
    alone.worked("other")

    assert not alone.failed("one")


def test_where_nobody_came_through_since_it_may_still_be_the_way() -> None:
    alone = Alone()

    assert [alone.failed("one"), alone.failed("one"), alone.failed("two")] == [False, False, False]


def test_where_another_came_through_since_it_is_its_own() -> None:
    alone = Alone()
    alone.failed("one")
    alone.worked("other")

    assert not alone.is_known("one")
    assert alone.failed("one")
    assert not alone.failed("one"), "again nothing is known of this one"
    assert alone.is_known("one"), "but that it has a trouble of its own is"


def test_what_came_through_or_was_forgotten_begins_anew() -> None:
    alone = Alone()
    for end in (alone.worked, alone.forget):
        alone.failed("one")
        alone.failed("one")
        assert alone.times("one") == 2
        end("one")
        assert alone.times("one") == 0
