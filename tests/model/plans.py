"""Plans as hypothesis draws them: a few steps, each with some time after it, weighted towards what people do."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

import dropscribe.service  # noqa: F401 - imports every room, so that all boundaries are declared
from dropscribe.boundaries import all_boundaries
from model.steps import (
    CHANGES,
    CONTENTS,
    FOLDERS,
    INBOXES,
    KEYS,
    OURS,
    PATHS,
    Append,
    Away,
    Back,
    Cloud,
    Cut,
    Delete,
    Drop,
    Edit,
    Freeze,
    Hold,
    Kill,
    KillAt,
    Litter,
    Plan,
    Release,
    Reload,
    Rename,
    Replace,
    Restart,
    Retry,
    Squat,
    Step,
    Touch,
    Wait,
)
from model.upkeep import (
    Clear,
    Copy,
    Deaf,
    Fill,
    Forget,
    Limited,
    Lose,
    Mount,
    OnDisk,
    Remove,
    Restore,
    Swap,
    Told,
    TryAgain,
    Unmount,
)
from model.weather import OF_PARTS, WEATHER

MOST_STEPS = 10
IN_PARTS = ("upload.begin-parts", "upload.put-part", "upload.complete-parts")
BOUNDARIES = tuple(f"{step}:{phase}" for step, phase in all_boundaries())
PLACES = tuple((inbox, path) for inbox in INBOXES for path in PATHS)

Place = tuple[str, str]
Steps = st.SearchStrategy[Step]
folders = st.sampled_from(FOLDERS)
ours = st.sampled_from(OURS)


@dataclass(frozen=True)
class Stage:
    """Where one plan plays, so that its steps meet: one to three places, two or three contents, and what is special."""

    places: tuple[Place, ...]
    contents: tuple[str, ...]
    told: bool = False
    limited: bool = False
    disk: str = ""
    fails_to_remember: bool = False

    @property
    def beginnings(self) -> Plan:
        disk = (OnDisk(self.disk),) if self.disk else ()
        return (*(Told(),) * self.told, *(Limited(),) * self.limited, *disk)

    @property
    def boundaries(self) -> st.SearchStrategy[str]:
        """Those that are passed there; as often what is special as what is not."""
        plain = st.sampled_from([name for name in BOUNDARIES if not name.startswith(("notify.", *IN_PARTS))])
        special = [name for name in BOUNDARIES if self.told and name.startswith("notify.")]
        special += [name for name in BOUNDARIES if "film" in self.contents and name.startswith(IN_PARTS)]
        return plain | st.sampled_from(special) if special else plain

    @property
    def weather(self) -> list[str]:
        return [name for name in WEATHER if name not in OF_PARTS or "film" in self.contents]


def _at(kind: Callable[..., Step], place: st.SearchStrategy[Place], *more: st.SearchStrategy[str]) -> Steps:
    return st.builds(lambda at, *rest: kind(*at, *rest), place, *more)


def _changes(place: st.SearchStrategy[Place], contents: st.SearchStrategy[str]) -> Steps:
    """What people do with one file or two."""
    single = [_at(kind, place) for kind in (Append, Cut, Touch, Delete)]
    double = st.builds(lambda one, other: Rename(*one, *other), place, place)
    return st.one_of(_at(Drop, place, contents), _at(Replace, place, contents), double, *single)


def _odd(place: st.SearchStrategy[Place], contents: st.SearchStrategy[str]) -> Steps:
    inbox = place.map(lambda at: at[0])
    return st.one_of(
        _at(Hold, place, contents),
        st.just(Release()),
        st.builds(Litter, inbox),
        st.builds(Squat, ours),
        st.builds(Edit, ours),
        st.builds(Remove, ours),
        st.just(Retry()),
        st.builds(TryAgain, st.sampled_from(["", "", "talks/failed/talk.mp3", "library/talk.mp3"]), st.booleans()),
        st.builds(Away, folders),
        st.just(Back()),
    )


def _fates(stage: Stage, meanwhile: Steps) -> Steps:
    """A disk that goes in the very moment between a look at it and an act is beyond what is promised (GUARANTEES)."""
    boundaries = stage.boundaries
    while_dead = (
        meanwhile | (_disk() if stage.disk else meanwhile) | (_memory() if stage.fails_to_remember else meanwhile)
    )
    return st.one_of(
        st.builds(Kill, st.sampled_from([0.0, 30.0, 600.0, 25 * 3600.0])),
        st.builds(KillAt, boundaries, st.none() | while_dead),
        st.builds(KillAt, boundaries, st.none()),
        st.builds(Freeze, boundaries, meanwhile),
        st.builds(Restart, st.sampled_from(["", *KEYS])),
        st.builds(Reload, st.sampled_from(CHANGES)),
    )


def _memory() -> Steps:
    killed = st.booleans()
    copies = [st.just(Copy()), st.builds(Restore, killed), st.builds(Lose, killed)]
    return st.one_of(*copies, st.builds(Forget, st.sampled_from([*OURS, "library/talk.mp3"]), st.just(True)))


def _disk() -> Steps:
    return st.sampled_from([Unmount(), Unmount(), Swap(), Fill(), Mount(), Clear()])


def _steps(stage: Stage) -> Steps:
    place, contents = st.sampled_from(stage.places), st.sampled_from(stage.contents)
    drops = _at(Drop, place, contents)
    clouds = st.builds(Cloud, st.sampled_from(stage.weather))
    waits = st.builds(Wait, st.sampled_from([1.0, 4.0, 7.0, 14.0, 20.0, 60.0, 200.0, 900.0, 3600.0]))
    changes, memory, disk = _changes(place, contents), _memory(), _disk()
    fates, odd = _fates(stage, changes | st.builds(Away, folders)), _odd(place, contents)
    kinds = [(drops, 2 + 4 * stage.limited), (changes, 4), (clouds, 4), (fates, 4), (odd, 3), (waits, 4)]
    kinds += [(memory, 4 * stage.fails_to_remember), (disk, 5 * bool(stage.disk))]
    kinds += [(st.builds(Deaf, st.sampled_from([60.0, 3600.0])), stage.told)]
    kinds += [(st.just(Forget("talks/done/talk.mp3", alone=False)), stage.fails_to_remember)]
    weighted = [kind for kind, weight in kinds for _ in range(weight)]  # `one_of` would weigh what is in them, too
    return st.sampled_from(weighted).flatmap(lambda kind: kind)


def _of(stage: Stage) -> st.SearchStrategy[Plan]:
    first = _at(Drop, st.sampled_from(stage.places), st.sampled_from(stage.contents))
    rest = st.lists(_steps(stage), max_size=MOST_STEPS)
    return st.builds(lambda one, more: (*stage.beginnings, one, *more), first, rest)


def _stages() -> st.SearchStrategy[Stage]:
    """Most plans are plain: what is special costs time."""
    places = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True).map(tuple)
    small, long = ("A", "B", "silence", "broken"), ("speech", "lecture", "silence", "broken")
    of = {
        "plain": st.builds(Stage, places, _some(small)),
        "large": st.builds(Stage, places, _some(("A", "broken")).map(lambda some: ("film", *some)), st.booleans()),
        "told": st.builds(Stage, places, _some(small), st.just(True)),
        "limited": st.builds(Stage, places, _some(long), st.booleans(), st.just(True)),
        "disk": st.builds(Stage, places, _some(small), st.just(False), st.just(False), folders),
        "memory": st.builds(Stage, places, _some(small), *map(st.just, (False, False, "", True))),
        "all": st.builds(
            Stage, places, _some(tuple(CONTENTS)), st.booleans(), st.booleans(), st.just("") | folders, st.booleans()
        ),
    }
    return st.sampled_from(["plain", "plain", *of]).flatmap(of.__getitem__)


def _some(contents: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(contents), min_size=2, max_size=3, unique=True).map(tuple)


plans: st.SearchStrategy[Plan] = _stages().flatmap(_of)
