"""What files would cost, in sums and lines."""

from dropscribe.allowance import Balance, Limit
from dropscribe.prices import MAINLAND, price_list
from dropscribe.quote import Item, Quote, lines, quote, to_json


def item(path: str = "a.mp3", seconds: float = 3600.0, guessed: bool = False, inbox: str = "talks") -> Item:
    return Item(inbox, path, "fun-asr", 1000, seconds, guessed)


def told(*items: Item, used: float | None = None, limit: float = 7200.0) -> Quote:
    balances = () if used is None else (Balance(Limit("day", limit, 0.0), used),)
    return quote(items, 3, 1, [("/x/readme.txt", "it is no media")], MAINLAND, balances)


def text(found: Quote) -> str:
    return "\n".join(lines(found, lambda size: f"{size} bytes"))


def test_each_inbox_has_its_sum_and_all_of_them_one() -> None:
    said = text(told(item(), item("b.mp3"), item("c.mp3", inbox="calls")))

    assert "2 files, 2.0 h, 2000 bytes, about 1.58 CNY (fun-asr)" in said
    assert "3 files, 3.0 h, 3000 bytes, about 2.38 CNY" in said
    assert f"as of {MAINLAND.as_of}" in said


def test_what_costs_nothing_is_counted_and_what_is_not_taken_is_named() -> None:
    said = text(told(item()))

    assert "3 files cost nothing" in said
    assert "1 file cost nothing: the same content" in said
    assert "not taken: /x/readme.txt: it is no media" in said


def test_guesses_are_marked() -> None:
    assert "~1.0 h" in text(told(item(guessed=True)))
    assert "~" not in text(told(item()))


def test_limits_are_held_against_the_sum_and_a_file_that_never_fits_is_named() -> None:
    said = text(told(item("epic.mp3", 8000.0), used=3600.0))

    assert "1.0 h of 2.0 h are left this day" in said
    assert "waits for the next" in said
    assert "talks: epic.mp3" in said


def test_programs_get_the_same_numbers() -> None:
    found = to_json(told(item(), item("b.mp3", guessed=True), used=3600.0))

    assert found["total"] == {
        "files": 2,
        "hours": 2.0,
        "bytes": 2000,
        "guessed_files": 1,
        "price": 1.584,
        "currency": "CNY",
    }
    assert found["inboxes"][0]["name"] == "talks"
    assert (found["known"], found["copies"], len(found["not_taken"])) == (3, 1, 1)
    assert found["limits"] == [{"window": "day", "hours": 2.0, "left_hours": 1.0}]


def test_nothing_to_pay_is_said() -> None:
    assert "Nothing would be paid for." in text(told())


def test_prices_of_the_configuration_are_not_dated_as_if_they_were_ours() -> None:
    own = price_list("https://dashscope.aliyuncs.com", "EUR", {"fun-asr": 12.0})
    found = quote([item()], 0, 0, [], own, ())

    assert "Prices: your configuration, EUR. Speech" in text(found)
    assert to_json(found)["prices"] == {"where": "your configuration", "currency": "EUR", "as_of": None}
