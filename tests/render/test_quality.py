"""Judging cues: each fault is seen, in anybody's cues."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dropscribe.model import Transcript
from dropscribe.render.cues import cues
from dropscribe.render.profiles import Subtitles
from dropscribe.render.quality import FAULTS, Report, Shown, judge, shown_by_channel
from render.documents import REAL, real, spoken, transcript

TALK = transcript(
    spoken("We went to the market with Mark Zuckerberg.", 0, speaker=0),
    spoken("Then we came home.", 2500, speaker=1),
    spoken("It was late by then.", 3800, speaker=1),
)
GOOD = [
    Shown(0, 2417, ("We went to the market", "with Mark Zuckerberg.")),
    Shown(2500, 3717, ("Then we came home.",)),
    Shown(3800, 5400, ("It was late by then.",)),
]


def judged(found: Sequence[Shown], of: Transcript = TALK, **subtitles) -> Report:
    return judge(of, {0: found}, Subtitles(**subtitles))


def test_good_cues_are_clean() -> None:
    report = judged(GOOD)

    assert (report.cues, report.clean, report.faulty) == (3, 3, {})
    assert report.clean_share == 100


FAULTY = {
    "wide": ([Shown(0, 2417, ("We went to the market with Mark Zuckerberg.",)), *GOOD[1:]], {}),
    "lines": ([Shown(0, 2417, ("We went", "to the market", "with Mark Zuckerberg.")), *GOOD[1:]], {}),
    "fast": ([Shown(0, 1900, GOOD[0].lines), *GOOD[1:]], {}),
    "short": ([*GOOD[:2], Shown(3800, 4500, GOOD[2].lines)], {}),
    "long": ([*GOOD[:2], Shown(3800, 12_000, GOOD[2].lines)], {}),
    "overlap": ([Shown(0, 2600, GOOD[0].lines), *GOOD[1:]], {}),
    "mixed": ([Shown(0, 3717, ("We went to the market with Mark", "Zuckerberg. Then we came home.")), GOOD[2]], {}),
    "crumb": ([*GOOD[:2], Shown(3800, 4700, ("It",)), Shown(4800, 5700, ("was late by then.",))], {}),
    "straddle": (
        [GOOD[0], Shown(2500, 4350, ("Then we came home. It was",)), Shown(4400, 5300, ("late by then.",))],
        {},
    ),
    "border": (
        [Shown(0, 1200, ("We went to the",)), Shown(1200, 2417, ("market with Mark Zuckerberg.",)), *GOOD[1:]],
        {},
    ),
    "line": ([Shown(0, 2417, ("We went to the market with Mark", "Zuckerberg.")), *GOOD[1:]], {}),
}


def test_every_fault_has_its_example() -> None:
    assert FAULTY.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_is_seen(fault: str) -> None:
    found, subtitles = FAULTY[fault]

    assert fault in judged(found, **subtitles).faulty


def test_a_border_inside_a_word_is_torn() -> None:
    found = [Shown(0, 1200, ("We went to the mar",)), Shown(1200, 2417, ("ket with Mark Zuckerberg.",)), *GOOD[1:]]

    assert judged(found).bad_borders == 1


def test_a_word_that_is_spoken_after_its_cue_is_not_covered() -> None:
    report = judged([Shown(0, 1500, GOOD[0].lines), *GOOD[1:]])

    assert report.words - report.covered == 3


def test_a_reference_has_the_last_word_on_words() -> None:
    talk = transcript(spoken("我们 今天 去 市场 买 很多 东西 回家", 0))

    assert judge(
        talk, {0: [Shown(0, 1200, ("我们今天去市",)), Shown(1200, 2400, ("场买很多东西回家",))]}, Subtitles()
    ).bad_borders


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_ours_have_none_of_the_faults_that_can_always_be_avoided(path: Path) -> None:
    of = real(path)

    report = judge(of, shown_by_channel(cues(of, Subtitles())), Subtitles())

    assert not set(report.faulty) & {"wide", "lines", "short", "long", "overlap", "mixed"}
    assert report.clean_share > 90
    assert report.covered == report.words
