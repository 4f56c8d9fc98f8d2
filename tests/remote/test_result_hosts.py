"""Where a result may be fetched from, whatever its address says."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropscribe.remote.result_hosts import BadAddress, checked, is_inside, is_of_this_machine, redirected

SIGNED = "https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/prod/1.json?Expires=1&Signature=a%2Bb%3D"
INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:100.100.100.200]",
    "[64:ff9b::7f00:1]",
    "[fd00:ec2::254]",
]
OUTSIDE = ["47.95.1.1", "10.1.2.3", "172.16.1.1", "192.168.1.1", "100.118.28.1", "198.18.0.7", "[2001:db8::1]"]


@pytest.mark.parametrize("host", INSIDE)
def test_this_machine_and_its_metadata_service_keep_no_results(host: str) -> None:
    with pytest.raises(BadAddress, match="this machine"):
        checked(f"https://{host}/r.json", inside=False)
    with pytest.raises(BadAddress):
        redirected(SIGNED, f"https://{host}/r.json", inside=False)


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_a_stand_in_on_this_machine_keeps_its_results_beside_itself(host: str) -> None:
    url = f"http://{host}/r.json?Signature=a%2Bb"

    assert checked(url, inside=True) == url


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_bucket_may_be_reached_through_a_private_network(host: str) -> None:
    assert checked(f"https://{host}/r.json", inside=False) == f"https://{host}/r.json"


def test_the_services_own_hosts_are_asked_over_tls_and_byte_for_byte() -> None:
    plain = SIGNED.replace("https:", "http:")

    assert checked(SIGNED, inside=False) == SIGNED
    assert checked(plain, inside=False) == SIGNED
    assert checked(plain.replace(".com/", ".com:80/"), inside=False) == SIGNED
    assert checked("http://results.example/r?a=%7E", inside=False) == "http://results.example/r?a=%7E"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://host/",
        "//host/x",
        "http://user:password@host/x",
        "http://host/a b",
        "http://ho\nst/x",
        "http://ho\tst/x",
        "http://h:0/x",
        "http://[::1/x",
        "https://\u202ehost/x",
    ],
)
def test_what_is_no_plain_address_of_the_web_is_not_asked(url: str) -> None:
    with pytest.raises(BadAddress) as raised:
        checked(url, inside=True)

    assert url not in str(raised.value)


def test_a_redirect_keeps_to_the_web_and_to_tls() -> None:
    assert redirected("https://a.example/x?s=%2B", "/b%2Bc?s=%7E", inside=False) == "https://a.example/b%2Bc?s=%7E"
    assert redirected("http://a.example/x", "https://b.example/y", inside=False) == "https://b.example/y"
    for location in ("http://b.example/y", "file:///etc/passwd", "http://[", "javascript:alert(1)"):
        with pytest.raises(BadAddress):
            redirected("https://a.example/x", location, inside=False)


@settings(deadline=None)
@given(
    st.text(max_size=60) | st.builds("http://{}/{}".format, st.text(max_size=30), st.text(max_size=20)), st.booleans()
)
def test_any_text_is_an_address_of_the_web_or_is_refused(url: str, inside: bool) -> None:
    try:
        good = checked(url, inside)
    except BadAddress:
        return

    parts = urlsplit(good)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert inside or not is_of_this_machine(parts.hostname)


@settings(deadline=None)
@given(st.ip_addresses())
def test_every_address_of_the_internet_may_keep_results_and_none_of_this_machine(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_loopback or address.is_link_local:
        assert is_inside(address)
    if address.version == 4 and address.is_global and not address.is_multicast:
        assert not is_inside(address)
