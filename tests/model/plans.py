"""Plans as hypothesis draws them: a few steps, each with some time after it, weighted towards what people do."""

from collections.abc import Callable, Sequence

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
from model.weather import WEATHER

MOST_STEPS = 10
NEVER_PASSED = ("notify.", "upload.begin-parts", "upload.put-part", "upload.complete-parts")
"""Nobody is told here, and no file is large."""
BOUNDARIES = tuple(f"{step}:{phase}" for step, phase in all_boundaries() if not step.startswith(NEVER_PASSED))
PLACES = tuple((inbox, path) for inbox in INBOXES for path in PATHS)

Place = tuple[str, str]
Steps = st.SearchStrategy[Step]
contents = st.sampled_from(list(CONTENTS))
folders = st.sampled_from(FOLDERS)
boundaries = st.sampled_from(BOUNDARIES)


def _at(kind: Callable[..., Step], place: st.SearchStrategy[Place], *more: st.SearchStrategy[str]) -> Steps:
    return st.builds(lambda at, *rest: kind(*at, *rest), place, *more)


def _changes(place: st.SearchStrategy[Place]) -> Steps:
    """What people do with one file or two."""
    single = [_at(kind, place) for kind in (Append, Cut, Touch, Delete)]
    double = st.builds(lambda one, other: Rename(*one, *other), place, place)
    return st.one_of(_at(Drop, place, contents), _at(Replace, place, contents), double, *single)


def _odd(place: st.SearchStrategy[Place]) -> Steps:
    inbox = place.map(lambda at: at[0])
    ours = st.sampled_from(OURS)
    return st.one_of(
        _at(Hold, place, contents),
        st.just(Release()),
        st.builds(Litter, inbox),
        st.builds(Squat, ours),
        st.builds(Edit, ours),
        st.just(Retry()),
        st.builds(Away, folders),
        st.just(Back()),
    )


def _fates(place: st.SearchStrategy[Place]) -> Steps:
    meanwhile = _changes(place) | st.builds(Away, folders)
    return st.one_of(
        st.builds(Kill, st.sampled_from([0.0, 30.0, 600.0, 25 * 3600.0])),
        st.builds(KillAt, boundaries, st.none() | meanwhile),
        st.builds(Freeze, boundaries, meanwhile),
        st.builds(Restart, st.sampled_from(["", *KEYS])),
        st.builds(Reload, st.sampled_from(CHANGES)),
    )


def _steps(places: Sequence[Place]) -> Steps:
    place = st.sampled_from(places)
    drops = _at(Drop, place, contents)
    clouds = st.builds(Cloud, st.sampled_from(list(WEATHER)))
    waits = st.builds(Wait, st.sampled_from([1.0, 4.0, 7.0, 14.0, 20.0, 60.0, 200.0, 900.0, 3600.0]))
    kinds = [(drops, 2), (_changes(place), 4), (clouds, 4), (_fates(place), 4), (_odd(place), 2), (waits, 4)]
    weighted = [kind for kind, weight in kinds for _ in range(weight)]  # `one_of` would weigh what is in them, too
    return st.sampled_from(weighted).flatmap(lambda kind: kind)


def _of(places: Sequence[Place]) -> st.SearchStrategy[Plan]:
    first = _at(Drop, st.sampled_from(places), contents)
    rest = st.lists(_steps(places), max_size=MOST_STEPS)
    return st.builds(lambda one, more: (one, *more), first, rest)


plans: st.SearchStrategy[Plan] = st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True).flatmap(_of)
"""Each plays at one to three places, so that its steps meet."""
