"""The outbox: a notice stands with its fact, goes out the same at each try, and is gone when it was taken."""

from typing import Any

from dropscribe.ledger import deliveries, forgetting, judgements, notices, upkeep
from dropscribe.ledger.notices import EVENTS, Message
from dropscribe.model import Scope
from ledger.desk import BROKEN, NOW, Desk, file

FOLDER = Scope("folder:/srv/in", "FolderMissing", "it is missing", "mount it", NOW, NOW + 5)
STORAGE = Scope("storage", "AccessDenied", "denied", "grant it", NOW, NOW + 5)


def subscribe(desk: Desk, **events: tuple[str, ...]) -> int:
    return desk.do(notices.subscribe, events or {"webhook": EVENTS})


def delivered(desk: Desk, *names: str) -> None:
    desk.take(*(file(f"{name}.mp3".encode(), name) for name in names))
    desk.answer_all()
    for media in desk.owed():
        desk.deliver(media.media_id)


def next_message(desk: Desk, sink: str = "webhook", now: float = NOW, most: int = 100) -> Message:
    message = desk.do(notices.next_message, sink, "led", now, most)
    assert message is not None
    return message


def count(desk: Desk) -> int:
    return int(desk.sql("SELECT count(*) FROM notice")[0][0])


def test_nobody_who_did_not_ask_is_told_anything(desk: Desk) -> None:
    delivered(desk, "a")
    desk.do(upkeep.open_scope, STORAGE)
    assert count(desk) == 0

    subscribe(desk, command=("failed",))
    delivered(desk, "b")
    assert count(desk) == 0


def test_a_delivery_is_told_with_its_outputs_to_each_who_asked(desk: Desk) -> None:
    subscribe(desk, webhook=("delivered",), command=("delivered",))

    delivered(desk, "a")

    for sink in ("webhook", "command"):
        message = next_message(desk, sink)
        [one] = message.notices
        assert (message.event, one.inbox, one.path, len(one.outputs)) == ("delivered", "in", b"a.mp3", 1)


def test_a_delivery_is_told_with_the_task_that_it_was_heard_in(desk: Desk) -> None:
    subscribe(desk)
    row = desk.submitted("a")
    desk.do(judgements.answered, row.id, {row.items[0].recognition_id: b"result"}, NOW)
    desk.deliver(desk.owed()[0].media_id)

    [one] = next_message(desk).notices
    assert one.task_id is not None
    assert one.task_id == desk.sql("SELECT task_id FROM batch")[0][0]


def test_what_is_recorded_twice_is_told_once(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, "a")

    desk.do(deliveries.delivered, [(desk.media().id, None)], NOW + 1)

    assert count(desk) == 1


def test_a_failure_is_told_with_its_reason(desk: Desk) -> None:
    subscribe(desk)
    row = desk.submitted("a")
    desk.do(judgements.refused, row.id, row.items[0].recognition_id, BROKEN, NOW)
    desk.fail(desk.owed()[0].media_id)

    [one] = next_message(desk).notices
    assert (one.code, one.remedy, one.error_file) == (BROKEN.code, BROKEN.remedy, b"/failed/a.mp3.error.json")


def test_a_burst_becomes_few_messages_and_each_is_the_same_at_each_try(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, *(f"f{n:02}" for n in range(12)))

    first = next_message(desk, most=10)
    delivered(desk, "late")
    again = next_message(desk, most=10)

    assert again == first
    assert len(first.notices) == 10
    desk.do(notices.told, first.id)
    assert len(next_message(desk, most=10).notices) == 3


def test_each_change_of_a_scope_travels_alone_in_its_order(desk: Desk) -> None:
    subscribe(desk)
    desk.do(upkeep.open_scope, STORAGE)
    desk.do(upkeep.open_scope, STORAGE)  # its wait has grown: no news
    desk.do(upkeep.close_scope, "storage")
    desk.do(upkeep.open_scope, FOLDER)

    told: list[tuple[str, Any]] = []
    while (message := desk.do(notices.next_message, "webhook", "led", NOW, 100)) is not None:
        told += [(message.event, one.body["scope"]) for one in message.notices]
        desk.do(notices.told, message.id)

    assert told == [("scope-opened", "storage"), ("scope-closed", "storage"), ("folder-alarm", "folder:/srv/in")]


def test_a_scope_that_turns_into_another_trouble_is_news(desk: Desk) -> None:
    subscribe(desk)
    desk.do(upkeep.open_scope, STORAGE)
    desk.do(upkeep.open_scope, Scope("storage", "UserDisable", "arrears", "pay", NOW, NOW))

    assert count(desk) == 2


def test_what_was_open_when_a_process_died_is_closed_with_that_word(desk: Desk) -> None:
    subscribe(desk)
    desk.do(upkeep.open_scope, STORAGE)
    desk.do(notices.told, next_message(desk).id)

    desk.die()

    message = next_message(desk)
    assert (message.event, message.notices[0].body["how"]) == ("scope-closed", upkeep.RESTARTED)


def test_a_message_that_is_put_aside_lets_others_go_first(desk: Desk) -> None:
    subscribe(desk)
    desk.do(upkeep.open_scope, STORAGE)
    desk.do(upkeep.open_scope, FOLDER)
    first = next_message(desk)

    desk.do(notices.not_told, first.id, NOW + 60)

    assert next_message(desk).event == "folder-alarm"
    assert desk.do(notices.next_due, "webhook") == 0.0
    later = next_message(desk, now=NOW + 61)
    assert (later.id, later.tries) == (first.id, 1)


def test_what_nobody_takes_for_long_or_what_is_too_much_is_dropped(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, *(f"f{n}" for n in range(5)))
    assert desk.do(notices.too_many, "webhook", NOW - 1, 5) is False

    assert desk.do(notices.too_many, "webhook", NOW - 1, 3) is True
    assert desk.do(notices.drop_old, "webhook", NOW - 1, 3) == 2
    assert desk.do(notices.drop_old, "webhook", NOW + 1, 100) == 3
    assert desk.do(notices.waiting) == (0, None)


def test_who_is_not_configured_any_more_leaves_nothing_behind(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, "a")

    assert subscribe(desk, command=("failed",)) == 1
    assert count(desk) == 0


def test_an_id_is_never_used_again(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, "a")
    first = next_message(desk)
    desk.do(notices.told, first.id)

    delivered(desk, "b")

    assert next_message(desk).notices[0].id > first.notices[0].id


def test_a_forgotten_file_is_not_spoken_of_any_more(desk: Desk) -> None:
    subscribe(desk)
    delivered(desk, "a")
    desk.sweep()

    desk.do(forgetting.forget_files, [desk.media().id])

    assert desk.do(notices.waiting) == (0, None)
