from pathlib import Path

import pytest

from backends.prices import FILE, lines_of, price_for, read_prices

ROOT = Path(__file__).parents[2]
TABLE = '[a]\nas_of = "2026-11-01"\nsource = "a page"\npicture = 0.01\n["a-b"]\nas_of = 2026-11-02\nsource = "b"\n'


def test_the_longest_name_that_a_model_begins_with_has_its_price() -> None:
    prices = read_prices(TABLE + "second = 0.5\ntokens = { image_out = 30.0 }\n")
    assert price_for(prices, "a-c") is prices["a"]
    assert price_for(prices, "a-b-c") is prices["a-b"]
    assert price_for(prices, "ab") is None
    assert [(line.usd, line.unit) for line in lines_of(prices["a-b"])] == [
        (30.0, "million tokens (image_out)"), (0.5, "second"),
    ]  # fmt: skip
    assert prices["a"].for_picture("huge") == 0.01
    assert prices["a-b"].for_tokens({"image_out": 1000}) == 0.03


def test_a_price_without_date_or_source_is_refused() -> None:
    with pytest.raises(ValueError, match="a needs as_of and source"):
        read_prices('[a]\nsource = "a page"\npicture = 0.01\n')


@pytest.mark.parametrize("path", sorted(ROOT.glob(f"backends/*/{FILE}")), ids=lambda path: path.parent.name)
def test_each_table_of_prices_can_be_read(path: Path) -> None:
    assert all(lines_of(price) for price in read_prices(path.read_text(encoding="utf-8")).values())
