import pytest

from pipeline.cost.usd import Line, Usd, money, total


@pytest.mark.parametrize(
    ("usd", "text"), [(0, "$0.00"), (0.001, "under $0.01"), (0.005, "$0.01"), (1234.5, "$1,234.50"), (3, "$3.00")]
)
def test_dollars_have_cents(usd: float, text: str) -> None:
    assert money(usd) == text


def test_a_span_of_one_amount_is_written_once() -> None:
    assert str(Usd(2.0, 2.001)) == "$2.00"
    assert str(Usd(2.0, 3.5)) == "$2.00 to $3.50"


def test_a_total_is_of_what_has_a_price() -> None:
    assert total([Line("a", "", Usd(1, 2)), Line("b", "", None), Line("c", "", Usd(3, 4))]) == Usd(4, 6)
    assert total([]) == Usd(0, 0)
