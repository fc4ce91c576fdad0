from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common.shards import Items
from steps.split.items import MAX_WORDS, facts, read_items

WALLET = {
    "name": "Heiress Wallet, Mahogany - ONE size",
    "quantity": 3,
    "height": {"unit": "IN", "value": 1.0},
    "width": {"unit": "IN", "value": 4.0},
    "length": {"unit": "IN", "value": 5.0},
    "weight": {"unit": "pounds", "value": 0.5},
}
LAMP = {"name": "LED lamp", "quantity": 1, "height": {"value": 10}, "weight": None}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def test_the_facts_of_a_bin() -> None:
    found = facts([WALLET, LAMP])
    assert (found.kinds, found.most, found.longest) == (2, 3.0, 10.0)
    assert found.volume == pytest.approx(60.0)
    assert found.weight == pytest.approx(1.5)
    assert found.words == ("heiress", "lamp", "led", "mahogany", "one", "size", "wallet")


def test_what_is_absurd_counts_as_nothing() -> None:
    mad = {"quantity": math.nan, "height": {"value": 1e9}, "width": {"value": "4"}, "length": {"value": -1}, "name": 7}
    assert facts([mad]) == Items(kinds=1)
    assert facts([{"quantity": True}]) == Items(kinds=1)


def test_the_record_of_a_photo_is_read(tmp_path: Path) -> None:
    (tmp_path / "00001.json").write_text(json.dumps({"BIN_FCSKU_DATA": {"a": WALLET}}), encoding="utf-8")
    assert read_items(tmp_path, "00001") == facts([WALLET])
    assert read_items(tmp_path, "1") == Items()


@pytest.mark.parametrize("text", ["", "[]", "{", "3", '{"BIN_FCSKU_DATA": []}', '{"BIN_FCSKU_DATA": {"a": 1}}', "\x00"])
def test_a_record_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert read_items(tmp_path, "x") == Items()


@given(st.lists(st.dictionaries(st.sampled_from([*WALLET, "other"]), JSON), max_size=4))
def test_any_record_gives_finite_facts(items: list[dict[str, object]]) -> None:
    found = facts(items)
    numbers = (found.kinds, found.most, found.volume, found.weight, found.longest)
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
    assert len(found.words) <= MAX_WORDS
    assert list(found.words) == sorted(set(found.words))
