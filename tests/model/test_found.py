"""Plans that once broke a promise, shrunk, and named by what they prove now."""

import pytest

from model.life import lives
from model.steps import Cloud, Delete, Drop, Freeze, KillAt, Plan, Replace, Retry, Wait
from model.upkeep import Copy, Lose, OnDisk, Restore, Told, Unmount

PLANS: dict[str, Plan] = {
    "a task answers only its first file, whose words are never delivered as those of the second": (
        Cloud("the next two tasks answer only their first URL"),
        Drop("talks", "talk.mp3", "A"),
        Drop("talks", "talk.wav", "B"),
        Wait(900),
    ),
    "a submit that arrives late is not paid beside its successor, though its objects could not be deleted": (
        Cloud("the next submit arrives five minutes late"),
        Cloud("deletes are denied for ten minutes"),
        Drop("talks", "talk.mp3", "A"),
        Wait(900),
    ),
    "a reason does not outlive its file though the daemon dies as it takes the file again": (
        Drop("talks", "talk.mp3", "broken"),
        Wait(60),
        KillAt("deliver.remove-stale:effect"),
        Retry(),
        Replace("talks", "talk.mp3", "A"),
        Wait(60),
    ),
    "a version that fails after a newer one was delivered leaves no reason in failed/": (
        Drop("library", "talk.wav", "A"),
        Wait(200),
        Drop("library", "talk.mp3", "broken"),
        Freeze("submit.post:effect", Cloud("the key is refused for ten minutes")),
        Wait(200),
        Drop("library", "talk.mp3", "A"),
        Wait(900),
    ),
    "a source that is gone when it fails is told of in failed/": (
        Drop("talks", "talk.mp3", "broken"),
        Freeze("submit.post:effect", Delete("talks", "talk.mp3")),
        Wait(900),
    ),
    "a notice of a restored ledger has no id that other news had before": (
        Told(),
        Copy(),
        Drop("talks", "talk.mp3", "A"),
        Wait(200),
        Restore(),
        Drop("talks", "talk.wav", "B"),
        Wait(200),
    ),
    "an upload that was completed when the daemon died is not sent anew": (
        Drop("talks", "talk.mp3", "film"),
        KillAt("upload.complete-parts:effect"),
        Wait(200),
    ),
    "a recording that was being moved when the ledger was lost is named by status": (
        Drop("talks", "talk.mp3", "A"),
        KillAt("source.hide:effect", Lose()),
        Wait(200),
    ),
    "a disk for done/ that is unmounted before the first delivery is missed, and nothing goes where it was": (
        OnDisk("talks/done"),
        Drop("talks", "talk.mp3", "A"),
        Unmount(),
        Wait(900),
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_promises_hold_though(name: str) -> None:
    lives(PLANS[name])
