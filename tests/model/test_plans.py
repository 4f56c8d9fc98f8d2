"""Whatever happens, in any order: the books balance in the end."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from model.life import lives
from model.plans import plans
from model.steps import Plan

FEW = 20
"""Plans in `make test`; `make model EXAMPLES=2000` lives through others, and more of them."""
SHARES = 2
"""Of plans, for as many processes."""


@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_happens_every_promise_holds_in_the_end(share: int) -> None:
    examples, first = int(os.environ.get("EXAMPLES") or FEW), int(os.environ.get("SEED") or 0)

    @seed(first + share)
    @settings(
        max_examples=max(1, examples // SHARES),
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(plan=plans)
    def holds(plan: Plan) -> None:
        lives(plan)

    holds()
