import pytest

from fairground.sandbox.stripe.protocol import CreateIntent, StripeError, nested, read


def test_bracketed_names_become_nested_fields() -> None:
    pairs = [("amount", "5"), ("metadata[a]", "1"), ("metadata[b]", "2"), ("created[gte]", "7"), ("types[0]", "card")]
    assert nested(pairs) == {
        "amount": "5",
        "metadata": {"a": "1", "b": "2"},
        "created": {"gte": "7"},
        "types": {"0": "card"},
    }


def test_name_that_is_both_a_value_and_a_branch_is_refused() -> None:
    with pytest.raises(StripeError):
        nested([("metadata", "1"), ("metadata[a]", "2")])


def test_body_of_text_is_read_into_typed_parameters() -> None:
    fields = nested([("amount", "500"), ("currency", "EUR"), ("confirm", "true"), ("payment_method_types[0]", "card")])
    params = read(CreateIntent, fields)
    assert (params.amount, params.currency, params.confirm) == (500, "eur", True)
    assert params.payment_method_types == ["card"]


def test_missing_parameter_is_named() -> None:
    with pytest.raises(StripeError, match=r"Missing required param: currency"):
        read(CreateIntent, {"amount": "500"})
