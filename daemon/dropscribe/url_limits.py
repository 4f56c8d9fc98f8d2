"""How many URLs a task may have now: what the account takes, and what a refusal of several leaves open."""

from dataclasses import dataclass, field

import structlog

from dropscribe.house import House
from dropscribe.ledger import upkeep
from dropscribe.ledger.rows import ReadyGroup
from dropscribe.packing import recipe_label

log = structlog.get_logger()

ONE_URL_FOR = 7 * 86400.0


@dataclass
class Trial:
    """Several URLs were refused with `code`: single ones go now, to tell the count from the settings or from one file.

    `blamed`: a single one was refused with the same code, so that it may have been the reason for the others.
    """

    code: str
    message: str
    blamed: bool = False


@dataclass
class UrlLimits:
    """By model where the account takes one, by model and settings during a trial."""

    house: House
    one_only: dict[str, float] = field(default_factory=dict)
    """Until when: an account may change its mind, and a daemon runs for years."""
    trials: dict[str, Trial] = field(default_factory=dict)

    def of(self, group: ReadyGroup) -> int:
        """The most that a task of this group may have."""
        on_trial = recipe_label(group.model, group.settings) in self.trials
        one_only = self.one_only.get(group.model, 0.0) > self.house.clock.now()
        return 1 if one_only or on_trial else self.house.settings.model_studio.max_urls_per_task

    async def remember(self) -> None:
        """Know what an earlier process learnt of this account."""
        who = self.house.recogniser.identity
        start = lesson_name(who.endpoint, who.account, "")
        known = await self.house.ledger.look(upkeep.lessons, self.house.clock.now())
        self.one_only.update({name[len(start) :]: until for name, until in known.items() if name.startswith(start)})

    async def one_url_only(self, model: str, code: str, message: str) -> None:
        """The account takes one URL a task for this model: remembered for seven days."""
        until = self.house.clock.now() + ONE_URL_FOR
        self.one_only[model] = until
        who = self.house.recogniser.identity
        await self.house.ledger.do(upkeep.learn, lesson_name(who.endpoint, who.account, model), code, until)
        log.warning("account.one-url-per-task", model=model, code=code, message=message)


def lesson_name(endpoint: str, account: str, model: str) -> str:
    """Under which 'one URL per task' is remembered."""
    return f"one-url {endpoint} {account} {model}"
