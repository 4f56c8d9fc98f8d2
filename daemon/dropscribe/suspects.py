"""Whose fault is it, when files fail for a reason that may be the file's or the account's: the rule of three. Pure.

Three different recognitions of a model in a row with the same code, and no success between: the fault is not theirs.
"""

from collections.abc import Iterable

IN_A_ROW = 3


class Suspects:
    """The unbroken row of failures of each model."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, list[int]]] = {}

    def succeeded(self, model: str) -> None:
        """The model works for somebody: each failure before is the file's own."""
        self._rows.pop(model, None)

    def failed(self, model: str, code: str, recognition_ids: Iterable[int]) -> list[int]:
        """Add failures to the model's row; return all of it if it is long enough to acquit them, else nothing."""
        before, row = self._rows.get(model, (code, []))
        if before != code:
            row = []
        row = [*row, *(number for number in recognition_ids if number not in row)]
        self._rows[model] = (code, row[-IN_A_ROW * 100 :])
        return row if len(row) >= IN_A_ROW else []
