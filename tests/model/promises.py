"""What dropscribe promises, as questions to the disk, the bill, the ledger and `status`: the reference.

What is true is known from elsewhere than the daemon: from what people remember having done (`person`), from what the
cloud heard and billed (the sandbox's book), and from what was made to go wrong (`weather`). Each function is one
promise; an AssertionError says in plain words what is not as it should be.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from dropscribe.cli.desk import Desk
from dropscribe.ledger import beside
from dropscribe.model import MEDIA_SUFFIXES
from lab import files_below, sha256
from model.bill import allowed, bought_in_vain, days_beyond_their_limit, payments
from model.news import alarms_without_end, one_thing_under_two_ids, two_things_under_one_id, untold
from model.person import EDITED, LITTER, OWN, Lying
from model.steps import CONTENTS
from model.weather import WEATHER
from model.world import SETTLE, World
from troubles.table import STRANGERS, only_strangers_are_left

ENDED = ("ignored", "delivered", "failed")
SILENCE, BROKEN = CONTENTS["silence"], b"BROKEN:"


def hold_at_any_time(world: World) -> None:
    """What must be so at every moment, also while everything is out of order."""
    no_source_is_lost(world)
    no_output_is_half_written(world)
    nothing_of_anybody_else_is_touched(world)
    nothing_is_made_where_a_disk_is_missing(world)
    no_money_is_on_its_way_without_a_reservation(world)


def hold_in_the_end(world: World) -> None:
    """What must be so when everything has come to rest: the nine promises."""
    hold_at_any_time(world)
    every_entry_is_explained(world)  # 1
    every_source_is_where_it_belongs(world)  # 2
    nothing_was_half_read(world)  # 3
    every_output_tells_its_own_source(world)  # 4
    everything_was_paid_once_or_the_bill_explained(world)  # 5, 6
    what_was_finished_costs_nothing_after_a_loss(world)
    no_day_cost_more_than_its_limit(world)
    no_part_that_arrived_was_sent_again(world)
    no_file_was_blamed_for_a_fault_of_the_world(world)  # 7
    nothing_is_left_behind(world)  # 8
    no_secret_was_told(world)  # 9
    everything_was_told(world)
    the_ledger_is_sound(world)
    the_daemon_had_no_bug(world)


# 1. Accounted for.


def every_entry_is_explained(world: World) -> None:
    """Whatever lies in an inbox has one explained state, and `status PATH` tells it."""
    with beside.reading(world.lab.state) as connection:
        desk = Desk(world.settings, connection, now=world.now())
        for inbox, path in lying_now(world):
            found = [
                getattr(one, "view", one) for one in desk.files_named(os.fsencode(world.person.inboxes[inbox] / path))
            ]
            assert found, f"status knows nothing of {inbox}/{path}"
            here = [view for view in found if (view.inbox, view.path) == (inbox, path)] or found
            assert len(here) == 1, f"{inbox}/{path} has several states: {here}"
            assert here[0].state in ENDED, f"{inbox}/{path} is {here[0].state} for ever: {here[0].reason}"
            if here[0].state == "ignored":
                is_media = path.rpartition(".")[2] in MEDIA_SUFFIXES
                empty = not (world.person.inboxes[inbox] / path).stat().st_size
                assert path in LITTER or not is_media or empty or ".dropscribe-" in path, f"why? {here[0]}"
                assert here[0].reason, f"{inbox}/{path} is ignored without a reason"
        status = desk.status()
        alarms = [alarm for inbox in status.inboxes for alarm in inbox.alarms]
        assert alarms == [], f"an alarm stands though all is well again: {alarms}"


def lying_now(world: World) -> Iterator[tuple[str, str]]:
    """Every entry of every inbox that is not an output, or a person's file beside them."""
    ours = {os.fsdecode(path) for (path,) in world.ledger("SELECT path FROM output")}
    for inbox, folder in world.person.inboxes.items():
        for path in sorted(folder.rglob("*")):
            is_output = str(path) in ours or path in world.person.own
            if (path.is_symlink() or not path.is_dir()) and not is_output:
                yield inbox, str(path.relative_to(folder))


# 2. Never lost.


def no_source_is_lost(world: World) -> None:
    """As many sources of each content stand on the disk as people brought and did not remove, less those that
    `done: delete` removed after a delivery.
    """
    have = sources_on_disk(world)
    world.remembers()
    deleted = Counter(world.removed.values())
    for content, brought in world.person.put.items():
        due = brought - world.person.gone[content]
        assert have[content] <= due + world.person.half_written[content], (
            f"{have[content]} sources stand where {due} were brought: {name_of(world, content)}"
        )
        assert have[content] >= due - deleted[content], (
            f"a source is lost: {name_of(world, content)}, {have[content]} of {due}"
        )


def sources_on_disk(world: World) -> Counter[str]:
    found = (*files_below(world.root).values(), *world.disks.out_of_sight().values())
    return Counter(sha256(content) for content in found)


def every_source_is_where_it_belongs(world: World) -> None:
    """Talks are in done/ or failed/, with their outputs or their reason; the library stays; notes are gone."""
    for inbox in ("talks", "notes"):
        left = [path for name, path in lying_now(world) if name == inbox and path not in LITTER]
        left = [path for path in left if (world.person.inboxes[inbox] / path).stat().st_size]
        left = [path for path in left if not (world.memory.lapses and ".dropscribe-" in path)]
        assert left == [], f"{left} of {inbox} were never taken"
    for inbox, outbox in world.person.outboxes.items():
        told = world.person.told | {document["source"]["sha256"] for _, document in transcripts(outbox)}
        for path, content in standing(world, inbox):
            reason = world.person.faileds[inbox] / f"{path}.error.json"
            if reason.exists() and reason not in world.person.own and inbox == "library":
                ((state,),) = world.ledger(NEWEST, inbox, os.fsencode(path))
                assert state == "failed", f"{reason} outlives what it told of: {inbox}/{path} is {state}"
                continue
            if world.person.own.keys().isdisjoint(outbox.rglob("*.json")):
                assert sha256(content) in told, f"{inbox}/{path} is done, and no transcript speaks of it"
    for inbox, failed in world.person.faileds.items():
        found = {path for path in files_below(failed) if failed / path not in world.person.own}
        sources = {path for path in found if not path.endswith(".error.json")}
        reasons = {path.removesuffix(".error.json") for path in found if path.endswith(".error.json")}
        lone = sources - reasons if inbox == "library" else sources ^ (reasons - missed(world, failed))
        meddled = world.person.removed | world.person.own.keys()
        lone = {name for name in lone if not meddled & {failed / name, failed / f"{name}.error.json"}}
        assert not lone, f"source without reason, or reason without source, in failed/ of {inbox}: {lone}"


NEWEST = "SELECT state FROM media WHERE inbox = ? AND path = ? ORDER BY id DESC LIMIT 1"


def missed(world: World, failed: Path) -> set[str]:
    """Sources that somebody removed while they were at the service, and that failed there."""
    rows = world.ledger("SELECT error_file FROM media WHERE state = 'failed' AND reason IS NOT NULL")
    told = {Path(os.fsdecode(path)) for (path,) in rows if path is not None}
    return {str(path.relative_to(failed)).removesuffix(".error.json") for path in told if failed in path.parents}


def standing(world: World, inbox: str) -> Iterator[tuple[str, bytes]]:
    """(path, content) of delivered sources that still exist."""
    folder = world.person.inboxes[inbox] if inbox == "library" else world.root / inbox / "done"
    media = {
        path: content
        for path, content in files_below(folder).items()
        if path.endswith((".mp3", ".wav")) and not (folder / path).is_symlink()
    }
    yield from ((path, media[path]) for path in media if media[path] and folder / path not in world.person.own)


# 3. Never half-read.


def nothing_was_half_read(world: World) -> None:
    """Only what lay unchanged for `settle` seconds, and was closed, was ever sent."""
    heard = {entry["sha256"] for entry in world.cloud.state()["book"]}
    whole = {lying.sha256 for lying in world.person.lain if lying.lay_for(SETTLE[lying.inbox])}
    assert heard <= whole, f"sent though it did not lie still: {[name_of(world, each) for each in heard - whole]}"


# 4. Never half-written.


def no_output_is_half_written(world: World) -> None:
    """Where a transcript stands, its whole set stands."""
    for outbox in world.person.outboxes.values():
        for path, _ in transcripts(outbox):
            srt = path.with_suffix(".srt")
            assert srt.exists() or srt in {*world.person.own, *world.person.removed}, (
                f"{path.name} stands without {srt.name}"
            )


def transcripts(outbox: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every transcript of ours below an outbox; a JSON that cannot be read is half a one, or somebody's own."""
    for path, content in files_below(outbox).items():
        if path.endswith(".json") and ".dropscribe-" not in path and content != OWN:
            document = json.loads(content.split(EDITED)[0])
            yield outbox / path, document


def every_output_tells_its_own_source(world: World) -> None:
    """The words of that very content, under the name that it had, with settings that its inbox had."""
    for inbox, outbox in world.person.outboxes.items():
        lain = {(lying.path, lying.sha256): lying.content for lying in world.person.lain if lying.inbox == inbox}
        for path, document in transcripts(outbox):
            source, recognition = document["source"], document["recognition"]
            content = lain.get((source["name"], source["sha256"]))
            assert content is not None, f"{path} tells of {source}, which never lay there"
            assert recognition["settings"] in world.recipes[inbox], (
                f"{path} was recognised with {recognition['settings']}"
            )
            expected = "" if content.startswith(SILENCE) else sha256(content)[:16]
            assert expected in document["text"] and bool(expected) == bool(document["text"]), (
                f"{path} tells other words"
            )
            srt = path.with_suffix(".srt")
            if srt not in world.person.own and srt.exists():
                assert expected in srt.read_text(), f"{srt} tells other words"


# 5. Paid once. 6. Picks up where it stopped.


def everything_was_paid_once_or_the_bill_explained(world: World) -> None:
    """Every further payment was brought about by something that went wrong, and is told."""
    bill = list(payments(world))
    for payment in bill:
        assert payment.told_twice or payment.verdict or payment.forgotten, f"paid, and nothing tells of it: {payment}"
    for recognition, times in Counter(payment.recognition for payment in bill).items():
        most, name = allowed(world, bill, recognition), name_of(world, recognition[0])
        assert times <= most, f"{name} was paid {times} times; {most} can be explained"
        answers = [p for p in bill if p.recognition == recognition and p.verdict == "answered" and not p.forgotten]
        assert len(answers) <= 1, f"{name} was paid again though its result was known"


def what_was_finished_costs_nothing_after_a_loss(world: World) -> None:
    """A ledger that is lost, or restored from an older copy, buys nothing for what was finished: neither for a source
    in done/, nor for one of a library that lies beside its own transcript.
    """
    for payment in bought_in_vain(world):
        raise AssertionError(f"bought again after a loss: {name_of(world, payment.content)}: {payment}")


def no_day_cost_more_than_its_limit(world: World) -> None:
    """With `limits`, what is sent in a day fits into it, whatever the files are and whoever dies; see `rest` for what
    has to go on by itself on the next day.
    """
    if world.limited and not world.memory.lapses:
        assert (found := list(days_beyond_their_limit(world))) == [], found


def no_money_is_on_its_way_without_a_reservation(world: World) -> None:
    """Whatever is sent was reserved for before, limits or none; and nothing that is held is on its way."""
    for question, what in UNRESERVED.items():
        assert (found := world.ledger(question)) == [], f"{what}: {found}"


UNRESERVED = {
    "SELECT i.id FROM batch_item i WHERE i.live AND NOT EXISTS (SELECT 1 FROM reservation r"
    " WHERE r.batch_id = i.batch_id AND r.recognition_id = i.recognition_id)": "sent without a reservation",
    "SELECT r.id FROM reservation r JOIN stored_object o ON o.recognition_id = r.recognition_id"
    " WHERE r.state = 'held' AND NOT o.doomed": "held, and in the bucket",
    "SELECT name, seconds FROM allowance WHERE seconds + 0.001 <"
    " (SELECT sum(seconds) FROM reservation WHERE state = 'reserved')": "more is reserved than a day may cost",
}


def no_part_that_arrived_was_sent_again(world: World) -> None:
    """An upload in parts goes on where it was cut, whoever died meanwhile: begun once, each part sent once."""
    parts = world.parts
    begun_in_vain = sum("begin-parts" in boundary for boundary in world.deaths) + len(world.memory.lapses)
    for key, times in parts.begun.items():
        most = 1 + parts.lost[key] + begun_in_vain
        assert times <= most, f"the upload of {key} was begun {times} times"
    for (upload, number), times in parts.arrived.items():
        assert times <= 1 + parts.lost[upload], f"part {number} of {upload} was sent {times} times"


# 7. A fault of the world harms no file.


def no_file_was_blamed_for_a_fault_of_the_world(world: World) -> None:
    """Only what is broken fails, or what the service itself gave up."""
    may_fail = any(WEATHER[name].fails for name in world.weather) or world.days_down > 0
    for inbox, failed in world.person.faileds.items():
        for path, content in files_below(failed).items():
            if path.endswith(".error.json") and failed / path not in world.person.own:
                said = json.loads(content)
                lain = [one for one in world.person.lain if (one.inbox, one.path) == (inbox, said["source"])]
                assert lain, f"{path} tells of {said['source']}, which never lay in {inbox}"
                broken = any(one.content.startswith(BROKEN[:4]) for one in lain)
                assert broken or may_fail, f"{inbox}/{said['source']} is good, and failed: {said}"
                assert said["code"] and said["message"], f"{path} gives no reason"


# 8. Leaves nothing behind.


def nothing_is_left_behind(world: World) -> None:
    """The bucket holds what somebody else has there, and no folder holds a temporary file of ours."""
    if not world.memory.lapses:
        only_strangers_are_left(world.lab)
        world.lab.assert_nothing_private_is_left()
    last = max((lapse.at for lapse in world.memory.lapses), default=0.0)
    state = world.cloud.state()
    left = [one for one in state["objects"] if one["modified"] > last] + [
        one for one in state["uploads"] if one["initiated"] > last
    ]
    assert all(one["key"] == STRANGERS for one in left), f"in the bucket, and known to this ledger: {left}"


def nothing_of_anybody_else_is_touched(world: World) -> None:
    """Nothing that dropscribe did not write is overwritten."""
    for path, content in world.person.own.items():
        if path.parent.exists():
            assert path.exists() and path.read_bytes() == content, f"{path}, somebody's own, was touched"


def nothing_is_made_where_a_disk_is_missing(world: World) -> None:
    """A folder whose disk is not there, or another's, is an alarm: nothing is made on the mount point or on that disk,
    and nothing that lay on the disk is taken for gone.
    """
    assert (found := world.disks.found_in_its_place()) == [], f"made where the disk was: {found}"


# 9. Keeps secrets.


def no_secret_was_told(world: World) -> None:
    log = world.log_file.read_bytes()
    for secret in (
        *map(str.encode, world.keys),
        b"sandbox-secret",
        b"x-oss-signature=",
        b"key=of-the-address",
        b"the-secret-of-the-webhook",
    ):
        assert secret not in log, f"the log holds {secret!r}"


# Being told.


def everything_was_told(world: World) -> None:
    """Whoever is to be told hears at least once, across deaths and deafness, of each delivery, each failure, and of
    the beginning and the end of each alarm; the same thing under the same id, another under another.
    """
    if world.ear is None:
        return
    questions = [two_things_under_one_id, one_thing_under_two_ids]
    if not world.memory.lapses:  # what was open when a copy was made is closed by it once more
        questions.append(alarms_without_end)
    for question in questions:
        assert (found := list(question(world.ear))) == [], f"{question.__name__}: {found}"
    assert (found := list(untold(world, world.ear))) == [], found


# The ledger itself, and the daemon.


def the_ledger_is_sound(world: World) -> None:
    """Its invariants, and the file."""
    world.stop()
    assert set(world.exit_codes) <= {0}, f"it did not stop well: {world.exit_codes}"
    with closing(sqlite3.connect(world.lab.state / "ledger.sqlite")) as connection:
        for question, what in UNSOUND.items():
            assert (found := connection.execute(question).fetchall()) == [], f"{what}: {found}"
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


UNSOUND = {
    "SELECT id FROM recognition r WHERE state = 'answered' AND NOT EXISTS"
    " (SELECT 1 FROM result WHERE recognition_id = r.id)": "answered without a result",
    "SELECT recognition_id FROM result WHERE recognition_id NOT IN"
    " (SELECT id FROM recognition WHERE state = 'answered')": "a result of nobody",
    "SELECT id FROM batch_item WHERE live": "an item of a batch is open though no batch is",
    "SELECT id FROM recognition WHERE owner IS NOT NULL": "somebody works on a recognition though nobody lives",
    "SELECT m.id, m.state, r.state FROM media m JOIN recognition r ON r.id = m.recognition_id"
    " WHERE m.state = 'delivered' AND r.state NOT IN ('answered', 'forgotten')": "delivered without an answer",
    "SELECT id, state, recognition_id FROM reservation WHERE batch_id IS NULL": "money is reserved for nothing",
}


def the_daemon_had_no_bug(world: World) -> None:
    bugs = [
        line
        for line in world.log()
        if line["event"].endswith(".bug") or line["level"] == "critical" or "exception" in line
    ]
    assert bugs == [], f"a bug of its own: {bugs}"
    odd = [
        line for line in world.log_file.read_text(errors="replace").splitlines() if line and not line.startswith("{")
    ]
    assert odd == [], f"not a line of the log: {odd}"


def name_of(world: World, content: str) -> str:
    """A content as people know it."""
    known: list[Lying] = [lying for lying in world.person.lain if lying.sha256 == content]
    return f"{known[0].inbox}/{known[0].path} ({known[0].content[:24]!r}...)" if known else content
