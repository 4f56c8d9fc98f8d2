"""An object stands under a key that was recorded before its first use, and belongs to one recognition."""

import pytest

from dropscribe.ledger import batches, intake, judgements, uploads
from ledger.desk import BROKEN, NOW, Desk, file


def test_a_key_is_recorded_with_the_claim_before_anything_is_sent(desk: Desk) -> None:
    desk.take()

    (job,) = desk.claim()

    assert desk.objects() == {job.key: job.recognition_id}
    assert (job.key.rsplit(".")[-1], job.size, job.crc64) == ("mp3", 5, 0xFEDCBA9876543210)
    assert desk.recognition_of().owner == desk.epoch


def test_a_claimed_recognition_is_not_claimed_again(desk: Desk) -> None:
    desk.take()
    desk.claim()

    assert desk.claim() == []


def test_a_claim_that_died_with_its_process_is_free_and_uses_its_key_again(desk: Desk) -> None:
    desk.take()
    (before,) = desk.claim()
    desk.die()

    (after,) = desk.claim()

    assert after.key == before.key and len(desk.objects()) == 1
    assert desk.recognition_of().owner == desk.epoch == 2


def test_parts_that_stand_are_found_again_after_a_crash(desk: Desk) -> None:
    desk.take(file(size=5000))
    (before,) = desk.claim(multipart_above=1000)
    desk.do(uploads.upload_begun, before.key, "upload-1")
    desk.die()

    (after,) = desk.claim(multipart_above=1000)

    assert (before.multipart, before.upload_id) == (True, None)
    assert (after.key, after.multipart, after.upload_id) == (before.key, True, "upload-1")


def test_an_unfinished_upload_that_the_storage_lost_is_forgotten(desk: Desk) -> None:
    desk.take(file(size=5000))
    (job,) = desk.claim(multipart_above=1000)
    desk.do(uploads.upload_begun, job.key, "upload-1")

    desk.do(uploads.upload_begun, job.key, None)

    desk.do(uploads.put_back, job.recognition_id, NOW)
    assert [again.upload_id for again in desk.claim()] == [None]


@pytest.mark.parametrize(("size", "multipart"), [(1000, False), (1001, True)])
def test_only_files_above_the_bound_go_in_parts(desk: Desk, size: int, multipart: bool) -> None:
    desk.take(file(size=size))

    assert [job.multipart for job in desk.claim(multipart_above=1000)] == [multipart]


def test_at_most_limit_are_claimed_the_oldest_first(desk: Desk) -> None:
    ids = desk.take_contents("a", "b", "c")

    assert [job.recognition_id for job in desk.claim(limit=2)] == ids[:2]
    assert [job.recognition_id for job in desk.claim(limit=2)] == ids[2:]
    assert desk.claim(limit=0) == []


def test_a_recognition_waits_while_its_old_object_is_still_in_the_bucket(desk: Desk) -> None:
    row = desk.lost("a")
    desk.do(batches.never_arrived, row.id, "not in the list", NOW)

    assert desk.claim() == []
    desk.sweep()
    (job,) = desk.claim()
    assert job.key != row.items[0].key


def test_one_that_failed_waits_for_its_time_and_the_next_time_is_told(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()
    desk.do(uploads.charge, job.recognition_id, "ChecksumMismatch", "not the same", NOW + 60)

    assert desk.claim() == []
    assert desk.do(uploads.next_wait, NOW) == NOW + 60
    desk.now += 60
    (again,) = desk.claim()
    assert (again.attempts, again.key) == (1, job.key)
    assert desk.recognition_of().tries == '{"ChecksumMismatch": 1}'


def test_what_is_put_back_is_not_charged(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()

    desk.do(uploads.put_back, job.recognition_id, NOW)

    row = desk.recognition_of()
    assert (row.state, row.owner, row.attempts, row.tries) == ("needed", None, 0, "{}")


def test_a_job_names_every_file_its_bytes_can_be_read_from(desk: Desk) -> None:
    desk.take(file(b"a.mp3", inode=1), file(b"gone.mp3", inode=2), file(b"copy.mp3", inode=3))
    desk.do(intake.withdraw, desk.media(b"gone.mp3").id, "it vanished", NOW)
    desk.take(file(b"other.mp3", inode=4), inbox="other")

    (job,) = desk.claim()

    found = [(source.inbox, source.path, source.look.inode) for source in job.sources]
    assert found == [("in", b"a.mp3", 1), ("in", b"copy.mp3", 3), ("other", b"other.mp3", 4)]


def test_an_uploaded_recognition_is_ready_from_that_moment(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()

    assert desk.do(uploads.all_uploaded, [(job.recognition_id, False)], NOW + 5)

    (group,) = desk.do(batches.ready_groups, NOW + 5)
    assert (group.model, group.count, group.oldest, group.company) == ("fun-asr", 1, NOW + 5, 0)


def test_an_upload_that_nobody_waits_for_any_more_is_given_up_and_its_object_goes(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()
    desk.do(intake.withdraw, desk.media().id, "it vanished", NOW)

    assert not desk.do(uploads.all_uploaded, [(job.recognition_id, False)], NOW)

    assert desk.recognitions() == ["abandoned"] and desk.doomed() == {job.key}


@pytest.mark.parametrize("end", ["put back", "charged", "source lost", "died"])
def test_an_upload_that_did_not_happen_and_nobody_waits_for_is_given_up(desk: Desk, end: str) -> None:
    desk.take()
    (job,) = desk.claim()
    desk.do(intake.withdraw, desk.media().id, "another file was put in its place", NOW)

    if end == "put back":
        desk.do(uploads.put_back, job.recognition_id, NOW)
    elif end == "charged":
        desk.do(uploads.charge, job.recognition_id, "ChecksumMismatch", "not the same", NOW)
    elif end == "source lost":
        desk.do(uploads.source_lost, job, [(job.sources[0].media_id, "it vanished")], NOW)
    else:
        desk.die()

    assert desk.recognitions() == ["abandoned"]
    assert desk.claim() == [] and desk.doomed() == {job.key}


def test_an_upload_that_comes_late_changes_nothing(desk: Desk) -> None:
    row = desk.intended("a")

    assert not desk.do(uploads.all_uploaded, [(row.items[0].recognition_id, False)], NOW)

    assert desk.recognitions() == ["submitting"]


def test_a_finished_multipart_upload_has_no_parts_left_to_abort(desk: Desk) -> None:
    desk.take(file(size=5000))
    (job,) = desk.claim(multipart_above=1000)
    desk.do(uploads.upload_begun, job.key, "upload-1")

    desk.do(uploads.all_uploaded, [(job.recognition_id, True)], NOW)

    assert list(desk.sql("SELECT upload_id, multipart FROM stored_object")) == [(None, 0)]


def test_sources_that_are_lost_are_withdrawn_and_the_others_still_served(desk: Desk) -> None:
    desk.take(file(b"a.mp3"))
    (job,) = desk.claim()
    desk.take(file(b"late.mp3"))

    desk.do(uploads.source_lost, job, [(job.sources[0].media_id, "it vanished")], NOW)

    assert (desk.states(b"a.mp3"), desk.states(b"late.mp3")) == (["withdrawn"], ["waiting"])
    (again,) = desk.claim()
    assert [source.path for source in again.sources] == [b"late.mp3"] and again.key == job.key


def test_a_recognition_whose_only_source_is_lost_goes_with_it(desk: Desk) -> None:
    desk.take()
    (job,) = desk.claim()

    desk.do(uploads.source_lost, job, [(job.sources[0].media_id, "it vanished")], NOW)

    assert (desk.states(), desk.recognitions(), desk.doomed()) == (["withdrawn"], ["abandoned"], {job.key})


def test_a_file_refused_while_it_is_uploaded_fails_each_subscriber_and_leaves_no_object(desk: Desk) -> None:
    desk.take(file(b"a.mp3"), file(b"copy.mp3"))
    (job,) = desk.claim()

    desk.do(judgements.refused_before_submit, job.recognition_id, BROKEN, NOW)

    assert [(owed.path, owed.state, owed.code) for owed in desk.owed()] == [
        (b"a.mp3", "failing", BROKEN.code),
        (b"copy.mp3", "failing", BROKEN.code),
    ]
    assert desk.recognitions() == ["refused"] and desk.doomed() == {job.key}


def test_what_lies_only_in_inboxes_that_are_out_of_order_takes_nobody_elses_turn(desk: Desk) -> None:
    desk.take(file(b"away.mp3", "only away"), inbox="away")
    desk.take(file(b"both.mp3", "in both"), inbox="away")
    desk.take(file(b"both.mp3", "in both"), inbox="well")
    desk.take(file(b"well.mp3", "only well"), inbox="well")

    jobs = desk.do(uploads.claim, 10, desk.now, desk.epoch, desk.new_key, 10**9, uploads.Turns(["away"]))

    assert {source.path for job in jobs for source in job.sources} == {b"both.mp3", b"well.mp3"}


def test_of_those_that_failed_and_those_that_did_not_the_rested_go_first_when_asked_for(desk: Desk) -> None:
    desk.take_contents("a", "b", "c")
    for job in desk.claim():
        desk.do(uploads.put_back, job.recognition_id, desk.now + (9.0 if job.sources[0].path == b"a.mp3" else 3.0))
    desk.now += 10
    desk.take_contents("fresh")

    def first(turns: uploads.Turns) -> list[bytes]:
        jobs = desk.do(uploads.claim, 1, desk.now, desk.epoch, desk.new_key, 10**9, turns)
        for job in jobs:
            desk.do(uploads.put_back, job.recognition_id, desk.now)
        return [job.sources[0].path for job in jobs]

    assert first(uploads.AS_USUAL) == [b"a.mp3"]
    assert first(uploads.Turns(rested_first=True)) == [b"fresh.mp3"]
