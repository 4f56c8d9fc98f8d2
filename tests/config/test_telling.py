"""Who is told, what may be spent, and what an hour costs, as it is configured."""

import pytest

from dropscribe.config.settings import LimitsSettings, NotifySettings, PricesSettings, WebhookSettings, secrets_of
from dropscribe.config.telling import webhook_key
from dropscribe.model import Secret

HOOK = "{url: 'https://example.com/hook?key=abc', secret: 0123456789abcdef}"


def test_without_a_word_nobody_is_told_and_nothing_is_limited(config) -> None:
    settings = config.load()

    assert (settings.notify.command, settings.notify.webhook, settings.metrics.port) == (None, None, None)
    assert (settings.limits, settings.prices) == (LimitsSettings(), PricesSettings())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("[/bin/tell, --to, 'the office']", ("/bin/tell", "--to", "the office")),
        ("\"/bin/tell --to 'the office' $HOME\"", ("/bin/tell", "--to", "the office", "$HOME")),
    ],
)
def test_a_command_is_a_list_of_words_or_a_text_split_as_a_shell_would(
    config, written: str, words: tuple[str, ...]
) -> None:
    assert config.set("notify.command", written).load().notify.command == words


@pytest.mark.parametrize(("written", "said"), [('"it\'s"', "split"), ("[]", "empty"), ("{a: b}", "mapping")])
def test_a_command_that_is_none_is_a_fault(config, written: str, said: str) -> None:
    problem = config.set("notify.command", written).problem()

    assert problem.path == "notify.command"
    assert said in problem.message


def test_a_webhook_hides_its_address_and_its_secret(config) -> None:
    settings = config.set("notify.webhook", HOOK).load()

    assert settings.notify.webhook == WebhookSettings(
        Secret("https://example.com/hook?key=abc"), Secret("0123456789abcdef")
    )
    assert "key=abc" not in repr(settings)
    assert {"https://example.com/hook?key=abc", "0123456789abcdef"} <= set(secrets_of(settings))
    assert isinstance(settings.notify, NotifySettings)


@pytest.mark.parametrize(
    ("hook", "path", "said"),
    [
        ("{url: 'https://example.com/hook'}", "secret", "is missing"),
        ("{secret: 0123456789abcdef}", "url", "is missing"),
        ("{url: 'http://example.com/', secret: 0123456789abcdef}", "url", "plain http"),
        ("{url: 'https://me:pw@example.com/', secret: 0123456789abcdef}", "url", "user name"),
        ("{url: example.com, secret: 0123456789abcdef}", "url", "https://"),
        ("{url: 'https://example.com/', secret: short}", "secret", "too short"),
        ("{url: 'https://example.com/', secret: 'whsec_!!!!!!!!!!!!'}", "secret", "base64"),
    ],
)
def test_a_webhook_that_is_not_safe_is_a_fault_that_does_not_show_it(config, hook: str, path: str, said: str) -> None:
    problem = config.set("notify.webhook", hook).problem()

    assert problem.path == f"notify.webhook.{path}"
    assert said in problem.message
    assert "0123456789abcdef" not in problem.message


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/hook", "http://localhost/hook"])
def test_plain_http_to_this_machine_is_fine(config, url: str) -> None:
    assert config.set("notify.webhook", f"{{url: '{url}', secret: 0123456789abcdef}}").load().notify.webhook


def test_plain_http_to_another_machine_has_to_be_meant(config) -> None:
    hook = "{url: 'http://example.com/', secret: 0123456789abcdef, insecure: true}"

    assert config.set("notify.webhook", hook).load().notify.webhook


def test_the_key_is_the_text_or_what_base64_says_after_the_standards_mark() -> None:
    assert webhook_key(Secret("0123456789abcdef")) == b"0123456789abcdef"
    assert webhook_key(Secret("whsec_aGVsbG8=")) == b"hello"


def test_an_event_that_nobody_knows_is_a_fault(config) -> None:
    problem = config.set("notify.events", "[delivred]").problem()

    assert "did you mean `delivered`" in problem.message


@pytest.mark.parametrize(("written", "said"), [("0", "out of range"), ("many", "not a number"), ("5h", "not a number")])
def test_a_limit_is_a_number_of_hours_above_zero(config, written: str, said: str) -> None:
    problem = config.set("limits.hours_per_day", written).problem()

    assert problem.path == "limits.hours_per_day"
    assert said in problem.message


def test_a_days_limit_above_the_months_is_warned_of(config) -> None:
    settings = config.set("limits", "{hours_per_day: 50, hours_per_month: 10}").load()

    assert settings.limits == LimitsSettings(50.0, 10.0)
    assert any("hours_per_month" in warning for warning in settings.warnings)


def test_prices_are_by_model(config) -> None:
    settings = config.set("prices", "{currency: EUR, per_hour: {fun-asr: 0.1}}").load()
    assert settings.prices == PricesSettings("EUR", {"fun-asr": 0.1})

    found = config.set("prices", "{per_hour: {fun-aser: 0.1, fun-asr: free}}").messages()
    assert "did you mean `fun-asr`" in found["prices.per_hour.fun-aser"]
    assert "not a number" in found["prices.per_hour.fun-asr"]


def test_the_metrics_have_a_port_and_no_other_address(config) -> None:
    assert config.set("metrics.port", "9464").load().metrics.port == 9464
    assert config.set("metrics.port", "70000").problem().path == "metrics.port"
