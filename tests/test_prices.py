"""Prices are estimates, dated, and can be overridden."""

from collections.abc import Iterable

import pytest

from dropscribe.config.models import MODELS
from dropscribe.prices import ABROAD, MAINLAND, price_list


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://dashscope.aliyuncs.com", MAINLAND),
        ("https://ws-1.cn-beijing.maas.aliyuncs.com", MAINLAND),
        ("https://dashscope-intl.aliyuncs.com", ABROAD),
        ("https://ws-1.ap-southeast-1.maas.aliyuncs.com", ABROAD),
    ],
)
def test_the_list_is_that_of_the_endpoint(endpoint: str, expected: object) -> None:
    assert price_list(endpoint) is expected


@pytest.mark.parametrize("prices", [MAINLAND, ABROAD], ids=["mainland", "abroad"])
def test_every_model_has_its_price_and_every_list_its_date(prices: object) -> None:
    assert isinstance(prices, type(MAINLAND))
    assert set(prices.per_hour) == set(MODELS)
    assert prices.as_of


def test_an_hour_costs_its_price_and_an_unknown_model_none() -> None:
    assert MAINLAND.of("fun-asr", 7200) == pytest.approx(2 * 0.792)
    assert MAINLAND.of("another", 7200) is None


def test_the_configuration_overrides_single_prices() -> None:
    own = price_list("https://dashscope.aliyuncs.com", None, {"fun-asr": 0.5})

    assert (own.currency, own.of("fun-asr", 3600)) == ("CNY", 0.5)
    assert own.of("fun-asr-mtl", 3600) == MAINLAND.of("fun-asr-mtl", 3600)
    assert MAINLAND.where in own.where and own.as_of == MAINLAND.as_of


def test_in_another_currency_only_its_own_prices_are_known() -> None:
    own = price_list("https://dashscope.aliyuncs.com", "EUR", {"fun-asr": 0.1})

    assert (own.currency, own.of("fun-asr", 3600), own.of("fun-asr-mtl", 3600)) == ("EUR", 0.1, None)


@pytest.mark.parametrize(
    ("currency", "models"), [("EUR", ["fun-asr"]), (None, MODELS)], ids=["currency", "every model"]
)
def test_prices_that_are_all_of_the_configuration_have_no_date(currency: str | None, models: Iterable[str]) -> None:
    own = price_list("https://dashscope.aliyuncs.com", currency, dict.fromkeys(models, 0.1))

    assert (own.where, own.as_of) == ("your configuration", "")
