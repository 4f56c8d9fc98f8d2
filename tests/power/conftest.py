"""What the tests here share says what was wrong as well as they do."""

import pytest

pytest.register_assert_rewrite("kill.scenarios", "power.scenes", "power.promises")
