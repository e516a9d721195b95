import pytest
import stripe

from fairground.modules.payments.gateways.processor import SignatureInvalid
from fairground.modules.payments.gateways.stripe_objects import require_signature

BODY = b'{"id": "evt_1"}'
NOW = 1_800_000_000


def header(secret: str = "whsec_a", *, at: int = NOW) -> str:
    return str(stripe.WebhookSignature.generate_signature_header(BODY.decode(), secret, at))


def test_signature_of_the_official_library_is_accepted() -> None:
    require_signature(header(), BODY, secret="whsec_a", now=NOW + 299)


def test_one_of_two_signatures_is_enough_while_a_secret_is_changed() -> None:
    both = header("whsec_old") + "," + header("whsec_a").split(",")[1]
    require_signature(both, BODY, secret="whsec_a", now=NOW)


@pytest.mark.parametrize(
    ("shown", "body", "now"),
    [
        (header("whsec_b"), BODY, NOW),
        (header(), BODY + b" ", NOW),
        (header(), BODY, NOW + 301),
        (header(), BODY, NOW - 301),
        (header().replace("v1", "v0"), BODY, NOW),
        (f"t={NOW},{header()}", BODY, NOW),
        ("t=soon,v1=00", BODY, NOW),
        ("t=²,v1=é", BODY, NOW),
        ("", BODY, NOW),
    ],
)
def test_everything_else_is_refused(shown: str, body: bytes, now: int) -> None:
    with pytest.raises(SignatureInvalid):
        require_signature(shown, body, secret="whsec_a", now=now)
