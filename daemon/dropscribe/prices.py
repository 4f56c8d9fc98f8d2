"""What an hour of recognition costs, as an estimate for people: nothing is decided by it.

The service bills detected speech, each channel on its own, so a recording usually costs less than its length.
Source: Model Studio's price pages, as seen in spring 2026. `prices` in the configuration overrides a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

FUN_ASR = ("fun-asr", "fun-asr-2025-11-07", "fun-asr-2025-08-25", "fun-asr-mtl", "fun-asr-mtl-2025-08-25")


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of an hour by model, where they hold, and as of when."""

    where: str
    currency: str
    as_of: str
    """Empty where the configuration has all of them, which has no date."""
    per_hour: Mapping[str, float]

    def of(self, model: str, seconds: float) -> float | None:
        """What so many billed seconds cost; None where the model's price is not known."""
        price = self.per_hour.get(model)
        return None if price is None else price * seconds / 3600.0


AS_OF = "2026-04"
MAINLAND = PriceList("mainland China", "CNY", AS_OF, dict.fromkeys(FUN_ASR, 0.00022 * 3600))
ABROAD = PriceList("Singapore", "USD", AS_OF, dict.fromkeys(FUN_ASR, 0.000035 * 3600))


def price_list(endpoint: str, currency: str | None = None, per_hour: Mapping[str, float] | None = None) -> PriceList:
    """The list that holds at an endpoint, with what the configuration says in its place.

    In another currency than the list's only the configuration's prices are known.
    """
    host = urlsplit(endpoint).hostname or ""
    base = ABROAD if "-intl." in host or ".ap-southeast-" in host else MAINLAND
    own = dict(per_hour or {})
    if not own and currency in (None, base.currency):
        return base
    if currency not in (None, base.currency):
        return PriceList("your configuration", currency or base.currency, "", own)
    if set(base.per_hour) <= set(own):
        return PriceList("your configuration", base.currency, "", own)
    return PriceList(f"your configuration, else {base.where}", base.currency, base.as_of, {**base.per_hour, **own})
