from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steps.split import ids
from steps.split.records import ItemRecords

IDS = st.one_of(st.integers(0, 40).map(str), st.integers(0, 40).map("{:05d}".format), st.sampled_from(["a", "b", "c"]))
RECORDS = st.dictionaries(IDS, st.sets(st.sampled_from("pqrstuv"), max_size=3), max_size=25)


def groups(records: dict[str, set[str]]) -> dict[str, str]:
    found = ItemRecords()
    for photo_id, items in records.items():
        found.add(photo_id, items)
    return found.groups()


def groups_by_search(records: dict[str, set[str]]) -> dict[str, str]:
    """The rule as it is written down, over all pairs."""
    names = sorted((name for name, items in records.items() if items), key=ids.natural)
    group = {name: name for name in names}

    def belong(left: str, right: str) -> bool:
        one, other = ids.number(left), ids.number(right)
        close = one is not None and other is not None and abs(one - other) <= 3
        return records[left] == records[right] or (close and bool(records[left] & records[right]))

    for _ in names:
        for left in names:
            for right in names:
                if belong(left, right):
                    group[left] = group[right] = min(group[left], group[right], key=ids.natural)
    return group


@given(RECORDS)
def test_groups_follow_the_rule(records: dict[str, set[str]]) -> None:
    assert groups(records) == groups_by_search(records)


@given(RECORDS)
def test_the_order_of_records_does_not_matter(records: dict[str, set[str]]) -> None:
    assert groups(dict(reversed(records.items()))) == groups(records)


def test_examples() -> None:
    chain = {"1": {"a"}, "4": {"a", "b"}, "6": {"b", "c"}}
    assert groups(chain) == dict.fromkeys(chain, "1")
    assert groups({"1": {"a", "b"}, "5": {"b", "c"}}) == {"1": "1", "5": "5"}  # 4 apart
    assert groups({"900": {"a", "b"}, "7": {"b", "a"}}) == {"900": "7", "7": "7"}  # the same list
    assert groups({"1": set(), "2": set()}) == {}  # an empty bin looks like any empty bin
    assert groups({"ab": {"x", "y"}, "b": {"xy"}}) == {"ab": "ab", "b": "b"}


def test_strange_items_are_items_too() -> None:
    assert groups({"1": {"\ud800"}, "2": {"\ud800", ""}}) == {"1": "1", "2": "1"}
