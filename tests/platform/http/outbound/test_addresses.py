from ipaddress import ip_address

import pytest

from fairground.platform.http.outbound.addresses import (
    OutboundAddressRefused,
    is_public,
    read_networks,
    read_target,
)

PRIVATE = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::1 2001:10::1 2001:20::1 2001:db8::1
    2002:7f00:1:: 2002:a00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 ff0e::1
    4000::1 fe80::1%1
""".split()
PUBLIC = "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.32.0.1 2606:4700::1111 2a00:1450::1 64:ff9b::8.8.8.8".split()


@pytest.mark.parametrize("text", PRIVATE)
def test_address_that_is_not_global_unicast_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", [*PUBLIC, "::ffff:8.8.8.8"])
def test_global_unicast_address_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://Example.ORG", "example.org", "/"),
        ("https://example.org:443/a.jpg", "example.org", "/a.jpg"),
        ("http://example.org:443/a.jpg#part", "example.org:443", "/a.jpg"),
        ("https://my_bucket.example.org/ä ö.jpg?w=1&x=ü", "my_bucket.example.org", "/%C3%A4%20%C3%B6.jpg?w=1&x=%C3%BC"),
        ("https://example.org/a%20b/../c?d=/?", "example.org", "/a%20b/../c?d=/?"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("https://\uff18.\uff18.\uff18.\uff18/", "8.8.8.8", "/"),
        ("https://[2606:4700:0::1111]/", "[2606:4700::1111]", "/"),
    ],
)
def test_address_is_read_as_it_is_requested(url: str, authority: str, path: str) -> None:
    target = read_target(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/"),
        *("javascript:alert(1)", "data:image/png;base64,", "https:example.org", "https:///a", "https://:443/"),
        *("https://user@example.org/", "https://user:password@example.org/", "https://example.org:443@127.0.0.1/"),
        *(
            "https://example.org\\@127.0.0.1/",
            "https:\\\\127.0.0.1\\",
            "https://exa\tmple.org/",
            "https://a.org/\r\nX: y",
        ),
        *(" https://example.org/", "https://example.org/\u202e", "https://exam ple.org/", "https://example.org:x/"),
        *("https://example.org:999999/", "https://example.org./", "https://example..org/", "https://-a.org/"),
        *("https://%65xample.org/", "https://[::1%25lo]/", "https://[::1", "https://::1/", "https://[::1].org/"),
        *("https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/"),
        *("https://0177.0.0.1/", "https://127.0.0.1.1/", "https://127.0.0.01/", "https://1.2.3/", "https://256.1.1.1/"),
        *("https://example.org\u2100/", "https://a\u2024\u2024b.org/", "https://" + "a" * 64 + ".org/"),
        "https://" + "a." * 130 + "org/",
        "https://example.org/" + "a" * 2_000,
    ],
)
def test_address_that_programs_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(OutboundAddressRefused):
        read_target(url)


@pytest.mark.parametrize("text", ["*", "0.0.0.0/0", "::/0", "128.0.0.0/1", "10.0.0.0/7", "fc00::/7", "localhost", ""])
def test_allowed_network_is_no_wildcard(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_networks([text])


def test_allowed_networks_are_addresses_and_networks() -> None:
    assert list(map(str, read_networks(["10.1.2.3", "fd00:1::/64"]))) == ["10.1.2.3/32", "fd00:1::/64"]
