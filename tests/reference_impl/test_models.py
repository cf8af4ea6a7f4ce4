import pytest

from payproof_reference.routes import models


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((models.CustomerId, text) for text in ("cus_", "cus_ü", "sub_1", "cus_1\n", " cus_1", "cus_" + "a" * 251)),
        *((models.SubscriptionId, text) for text in ("cus_1", {"id": "sub_1"}, None)),
        *((models.Amount, value) for value in (0, -1, 10**12, "1", 1.0, True)),
    ],
)
def test_strict_model_takes_exact_values_only(kind, text):
    """Nothing is converted or expanded, and what is refused is not quoted."""

    class Body(models.StrictModel):
        value: kind

    with pytest.raises(ValueError, match="value") as refusal:
        Body.model_validate({"value": text})
    assert "input_value" not in str(refusal.value)


def test_strict_model_takes_known_fields_only():
    """A field that a caller adds is refused, and what was read cannot be changed (CWE-915)."""

    class Body(models.StrictModel):
        customer: models.CustomerId

    with pytest.raises(ValueError, match="tenant_id"):
        Body.model_validate({"customer": "cus_1", "tenant_id": "x"})
    with pytest.raises(ValueError, match="frozen"):
        Body.model_validate({"customer": "cus_1"}).customer = "cus_2"
