"""Files in parts: what stands is not sent again."""

import pytest

from lab import Lab, eventually, files_below, sha256

FILM = bytes(range(256)) * 4096 * 20  # 20 MiB
PARTS = 3  # of 8 MiB


@pytest.fixture
def film(lab: Lab) -> bytes:
    lab.configure(storage={"multipart_above": "5MB"})
    return lab.drop("film.mp4", FILM)


def assert_delivered_once(lab: Lab, film: bytes) -> None:
    assert files_below(lab.done) == {"film.mp4": film}
    assert lab.heard() == {"film.json": sha256(film)}
    assert dict(lab.billed()) == {sha256(film): 1}
    lab.assert_bucket_is_empty()


@pytest.mark.kill
def test_an_upload_that_was_killed_goes_on_with_the_parts_that_stand(lab: Lab, film: bytes) -> None:
    assert lab.run_once(kill_at="upload.put-part:effect:2").returncode == -9
    [unfinished] = lab.sandbox.state()["uploads"]
    assert len(unfinished["parts"]) == 2

    assert lab.run_once().returncode == 0

    assert (lab.calls("initiate"), lab.calls("part")) == (1, PARTS)
    assert_delivered_once(lab, film)


def test_a_stop_cuts_the_upload_within_seconds_and_the_parts_resume(lab: Lab, film: bytes) -> None:
    lab.sandbox.inject("part", "hang", skip=1, times=1)
    with lab.start() as daemon:
        eventually(lambda: lab.sandbox.state()["uploads"] and lab.sandbox.state()["uploads"][0]["parts"])
        assert daemon.stop() == 0
    lab.sandbox.clear_faults()

    assert lab.run_once().returncode == 0

    assert lab.calls("initiate") == 1
    assert lab.calls("part") <= PARTS + 1, "none but the part that was cut is sent twice"
    assert_delivered_once(lab, film)


def test_lost_answers_on_the_way_do_not_spoil_a_film(lab: Lab, film: bytes) -> None:
    lab.sandbox.inject("part", "drop", times=1)
    lab.sandbox.inject("part", "lost", skip=2, times=1)
    lab.sandbox.inject("complete", "lost", times=1)

    assert lab.run_once().returncode == 0

    assert_delivered_once(lab, film)
