"""A plan from its first step to the balance of the books."""

from model.promises import hold_at_any_time, hold_in_the_end
from model.rest import comes_to_rest
from model.steps import Plan, in_words
from model.upkeep import Beginning
from model.world import World, new_world


def lives(plan: Plan) -> None:
    """Raises AssertionError with what does not hold, and the plan in words and as code."""
    with new_world() as world:
        try:
            _happens(plan, world)
        except AssertionError as broken:
            raise AssertionError(f"{broken}\n{in_words(plan)}") from broken


def _happens(plan: Plan, world: World) -> None:
    for step in plan:
        if not isinstance(step, Beginning):
            world.begins()
        world.calms()
        step.act(world)
        world.calms()
        world.remembers()
        hold_at_any_time(world)
    world.begins()
    comes_to_rest(world)
    world.remembers()
    hold_in_the_end(world)
