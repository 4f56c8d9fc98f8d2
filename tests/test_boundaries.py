"""The instants around every act on the world are known by name, and cost nothing when nobody looks."""

from collections.abc import Iterator

import pytest

from dropscribe.boundaries import PHASES, Step, all_boundaries, observe
from dropscribe.submit import INTEND, POST

# No steps are declared here: the kill tests want a row for every step there is.


@pytest.fixture
def passed() -> Iterator[list[tuple[str, str]]]:
    seen: list[tuple[str, str]] = []
    observe(lambda name, phase: seen.append((name, phase)))
    yield seen
    observe(None)


def test_an_observer_sees_each_instant_in_its_order(passed: list[tuple[str, str]]) -> None:
    POST.before()
    POST.effect()
    POST.recorded()

    assert passed == [("submit.post", phase) for phase in PHASES]


def test_after_the_observer_is_gone_nothing_is_told(passed: list[tuple[str, str]]) -> None:
    observe(None)

    POST.before()

    assert passed == []


def test_what_an_observer_raises_comes_through(passed: list[tuple[str, str]]) -> None:
    def die(name: str, phase: str) -> None:
        raise SystemExit(f"killed at {name} {phase}")

    observe(die)

    with pytest.raises(SystemExit, match=r"killed at submit\.post effect"):
        POST.effect()


def test_a_step_lists_the_instants_that_it_passes_and_no_others() -> None:
    assert [phase for name, phase in all_boundaries() if name == POST.name] == ["before", "effect", "recorded"]
    assert [phase for name, phase in all_boundaries() if name == INTEND.name] == ["before", "recorded"]


def test_two_steps_cannot_have_one_name() -> None:
    before = all_boundaries()

    with pytest.raises(ValueError, match=r"two steps are called submit\.post"):
        Step("submit.post", "before")

    assert all_boundaries() == before
