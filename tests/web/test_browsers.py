import pytest

from fairground.web.browsers import browser_name

_GECKO = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604.1"
_CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36"


@pytest.mark.parametrize(
    ("described", "name"),
    [
        (_GECKO, "Firefox, Windows"),
        (_IPHONE, "Safari, iPhone"),
        (_CHROME, "Chrome, Linux"),
        (_CHROME + " Edg/156.0", "Edge, Linux"),
        ("Calendar of Firefox/ fans", "Calendar of Firefox/ fans"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_browser_is_named_as_people_name_it(described: str, name: str) -> None:
    assert browser_name(described) == name
