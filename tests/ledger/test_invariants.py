"""Random histories: whatever happens in whatever order, nothing is paid for twice and nothing that was paid is lost."""

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dropscribe.ledger import batches, deliveries, forgetting, intake, judgements, upkeep, uploads
from dropscribe.ledger.rows import Again, UploadJob
from ledger.desk import BROKEN, file, open_desk

PATHS = (b"a.mp3", b"b.mp3", b"c.mp3", b"d.mp3")
CONTENTS = ("one", "two", "three")
UNPAID = ("needed", "uploading", "uploaded")


class Histories(RuleBasedStateMachine):
    """The rooms of the house, in any order, and a process that may die between any two of their steps."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = open_desk()
        self.jobs: list[UploadJob] = []
        self.ever_paid: dict[int, int] = {}
        """How many tasks the service ever accepted for a recognition."""
        self.allowed: dict[int, int] = {}
        """How many it may have: one, and one more for each word that it has to be sent again."""
        self.given_up: set[int] = set()
        """Recognitions that a person gave a file up of."""

    def teardown(self) -> None:
        self.desk.engine.dispose()

    @initialize(paid=st.booleans(), answered=st.booleans())
    def begin(self, paid: bool, answered: bool) -> None:
        """A house in the middle of its work."""
        self.desk.take(*(file(path, content) for path, content in zip(PATHS, (*CONTENTS, "one"), strict=True)))
        self.desk.upload()
        row = self.desk.intend(2) if paid else None
        if row is not None:
            self._accept(row)
            if answered:
                self.desk.do(judgements.answered, row.id, {row.items[0].recognition_id: b"result"}, self.desk.now)

    # What lies in the inbox

    @rule(path=st.sampled_from(PATHS), content=st.sampled_from(CONTENTS), replaced=st.integers(0, 5))
    def take(self, path: bytes, content: str, replaced: int) -> None:
        known = self.desk.media(path)
        if known is None or known.state != "waiting" or replaced == 5:
            self.desk.take(file(path, content))

    @rule(path=st.sampled_from(PATHS), really=st.integers(0, 5))
    def source_vanishes(self, path: bytes, really: int) -> None:
        row = self.desk.media(path)
        if row is None or row.recognition_id is None or really < 5:
            return
        paid = self.desk.recognition(row.recognition_id).state not in (*UNPAID, "abandoned")
        gone = self.desk.do(intake.withdraw, row.id, "it vanished", self.desk.now)
        assert not (gone and paid), "what was paid for is still owed"

    @rule(path=st.sampled_from(PATHS), long_ago=st.booleans(), really=st.integers(0, 5))
    def a_person_gives_it_up(self, path: bytes, long_ago: bool, really: int) -> None:
        row = self.desk.media(path)
        if row is None or really < 4:
            return
        sent_before = self.desk.now + 1 if long_ago else 0.0
        open_before = row.state in ("waiting", "due", "delivering", "failing")
        given_up = self.desk.do(forgetting.give_up, [(row.id, "given up")], self.desk.now, sent_before)
        assert given_up == ({row.id} if open_before else set())
        self.given_up.add(row.recognition_id)

    # The upload

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        doomed = self.desk.doomed()
        jobs = self.desk.claim(limit)
        assert all(job.sources for job in jobs), "nothing is uploaded that nobody waits for"
        assert not doomed.intersection(job.key for job in jobs)
        assert {job.key: job.recognition_id for job in jobs}.items() <= self.desk.objects().items()
        self.jobs += jobs

    @precondition(lambda self: self.jobs)
    @rule(end=st.sampled_from(["uploaded", "put back", "charged", "source lost", "refused"]))
    def upload_ends(self, end: str) -> None:
        desk, job = self.desk, self.jobs.pop()
        if end == "uploaded":
            desk.do(uploads.all_uploaded, [(job.recognition_id, False)], desk.now)
        elif end == "put back":
            desk.do(uploads.put_back, job.recognition_id, desk.now)
        elif end == "charged":
            desk.do(uploads.charge, job.recognition_id, "ChecksumMismatch", "again", desk.now)
        elif end == "source lost":
            desk.do(uploads.source_lost, job, [(source.media_id, "gone") for source in job.sources], desk.now)
        else:
            desk.do(judgements.refused_before_submit, job.recognition_id, BROKEN, desk.now)

    @rule()
    def uploads_go_well(self) -> None:
        self.desk.upload()

    # The paid call

    @rule(limit=st.integers(1, 2), outcome=st.sampled_from(["accepted"] * 3 + ["refused", "lost", "none yet"]))
    def submit(self, limit: int, outcome: str) -> None:
        row = self.desk.intend(limit)
        if row is None:
            return
        if outcome == "accepted":
            self._accept(row)
        elif outcome == "refused":
            assert self.desk.do(batches.not_accepted, row.id, "429", self.desk.now, self.desk.now)
        elif outcome == "lost":
            assert self.desk.do(batches.lost, row.id, "the connection broke")

    @rule(outcome=st.sampled_from(["accepted", "never arrived", "dropped"]))
    def lost_is_settled(self, outcome: str) -> None:
        for row in self.desk.do(batches.open_batches, "lost")[:1]:
            if outcome == "accepted":
                self._accept(row)
            elif outcome == "never arrived":
                assert self.desk.do(batches.never_arrived, row.id, "not in the list", self.desk.now)
            else:
                assert self.desk.do(batches.dropped, row.id, BROKEN, self.desk.now)

    def _accept(self, row: batches.BatchRow) -> None:
        assert self.desk.do(batches.accepted, row.id, f"task-{row.id}", None, self.desk.now)
        for item in row.items:
            number = item.recognition_id
            self.ever_paid[number] = self.ever_paid.get(number, 0) + 1
            assert self.ever_paid[number] <= self.allowed.setdefault(number, 1), "paid for without a reason"

    # What comes back

    @rule(
        verdict=st.sampled_from(["answered"] * 2 + ["refused", "again", "upload again", "buy again", "close"]),
        which=st.randoms(use_true_random=False),
    )
    def task_ends(self, verdict: str, which: random.Random) -> None:
        desk = self.desk
        rows = desk.do(batches.open_batches, "submitted", "done")
        if not rows:
            return
        row = which.choice(rows)
        number = which.choice([item.recognition_id for item in row.items] or [1, 2])
        live = number in [item.recognition_id for item in row.items]
        before = self._facts()
        if verdict == "answered":
            done = bool(desk.do(judgements.answered, row.id, {number: b"result"}, desk.now))
        elif verdict == "refused":
            done = desk.do(judgements.refused, row.id, number, BROKEN, desk.now)
        elif verdict == "buy again":
            done = desk.do(judgements.buy_again, row.id, number, "ResultGone", "deleted")
            assert done <= live
            live = done
        elif verdict == "close":
            assert desk.do(judgements.close_if_judged, row.id, 1.0, desk.now) == (
                row.state == "submitted" and not row.items
            )
            return
        else:
            upload = verdict == "upload again"
            done = desk.do(judgements.again, row.id, number, Again("SERVER_ERROR", "again", desk.now, upload))
        assert done == live, "a verdict counts once, and for its own batch"
        if not done:
            assert self._facts() == before
        elif verdict in ("again", "upload again", "buy again"):
            self.allowed[number] += 1

    @rule(really=st.integers(0, 2))
    def task_is_dropped(self, really: int) -> None:
        for row in self.desk.do(batches.open_batches, "submitted")[: really // 2]:
            assert self.desk.do(batches.dropped, row.id, BROKEN, self.desk.now)
            for item in row.items:
                self.allowed[item.recognition_id] += 1

    # Delivery and upkeep

    @rule(interrupted=st.booleans())
    def deliver(self, interrupted: bool) -> None:
        for owed in self.desk.owed()[:1]:
            if owed.state == "failing":
                self.desk.fail(owed.media_id, b"/failed/%d.error.json" % owed.media_id)
                continue
            assert owed.recognition_id in self.desk.do(deliveries.results, [owed.recognition_id])
            self.desk.reserve(owed.media_id, owed.path + b".json")
            if not interrupted:
                self.desk.do(deliveries.delivered, [(owed.media_id, None)], self.desk.now)

    @rule()
    def sweep(self) -> None:
        self.desk.sweep()

    @rule()
    def results_grow_old(self) -> None:
        self.desk.do(upkeep.forget_results, self.desk.now + 1)

    @rule(really=st.integers(0, 3))
    def die(self, really: int) -> None:
        if really < 3:
            return
        self.desk.die()
        self.jobs = []

    # What is always true

    @invariant()
    def a_recognition_is_in_one_open_payment_and_has_a_key_of_its_own(self) -> None:
        twice = "SELECT {0} FROM {1} GROUP BY {0} HAVING count({0}) > 1"
        assert not self._all(twice.format("recognition_id", "batch_item WHERE live"))
        assert not self._all(twice.format("object_key", "recognition"))

    @invariant()
    def exactly_what_is_submitted_is_in_an_open_batch(self) -> None:
        live = "SELECT i.recognition_id FROM batch_item i JOIN batch b ON b.id = i.batch_id WHERE i.live AND b.state"
        assert self._in("submitting") == self._all(f"{live} IN ('intended', 'lost')")
        assert self._in("submitted") == self._all(f"{live} = 'submitted'")

    @invariant()
    def what_is_answered_has_its_result_and_nothing_else_has_one(self) -> None:
        assert self._in("answered") == self._all("SELECT recognition_id FROM result")

    @invariant()
    def an_object_stays_as_long_as_it_is_needed_and_no_longer(self) -> None:
        kept = self._all("SELECT recognition_id || key FROM stored_object WHERE NOT doomed")
        key = "id || object_key"
        assert self._in("uploading", "uploaded", "submitting", "submitted", what=key) <= kept
        assert kept <= self._in("needed", "uploading", "uploaded", "submitting", "submitted", what=key)

    @invariant()
    def who_waits_waits_on_something_alive_and_who_is_owed_is_owed_a_kept_result(self) -> None:
        joined = "SELECT r.state FROM media m JOIN recognition r ON r.id = m.recognition_id WHERE m.state IN"
        assert self._all(f"{joined} ('waiting')") <= {*UNPAID, "submitting", "submitted"}
        assert self._all(f"{joined} ('due', 'delivering')") <= {"answered"}
        assert self._all(f"{joined} ('failing', 'failed')") <= {"refused"}

    @invariant()
    def whatever_is_alive_has_somebody_who_waits_for_it(self) -> None:
        waiting = self._all("SELECT recognition_id FROM media WHERE state = 'waiting'")
        assert self._in("needed", "uploaded") <= waiting, "nothing is sent for nobody"
        assert self._in("submitting", "submitted") <= waiting | self.given_up

    @invariant()
    def nothing_is_uploaded_or_paid_for_without_one_reservation(self) -> None:
        promised = self._all("SELECT recognition_id FROM reservation WHERE batch_id IS NULL AND state = 'reserved'")
        assert self._in("uploading", "uploaded") <= promised <= self._in("needed", "uploading", "uploaded")
        travelling = "SELECT recognition_id || '/' || batch_id FROM"
        assert self._all(f"{travelling} batch_item WHERE live") <= self._all(f"{travelling} reservation")

    @invariant()
    def what_is_reserved_is_still_to_be_paid_or_its_batch_is_not_settled(self) -> None:
        joined = "SELECT b.state FROM reservation r JOIN batch b ON b.id = r.batch_id"
        assert self._all(joined) <= {"intended", "lost", "submitted"}

    def _in(self, *states: str, what: str = "id") -> set[Any]:
        return self._all(f"SELECT {what} FROM recognition WHERE state IN ({str(states)[1:-1].rstrip(',')})")

    def _all(self, query: str) -> set[Any]:
        return {row[0] for row in self.desk.sql(query)}

    def _facts(self) -> list[Any]:
        return [list(self.desk.sql(f"SELECT * FROM {table}")) for table in ("recognition", "media", "batch_item")]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=40, deadline=None, derandomize=True)
