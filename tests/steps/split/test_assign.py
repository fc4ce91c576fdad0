from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common.labels import SPLITS
from steps.common.split_report import SplitSettings
from steps.split import ids
from steps.split.assign import Assignment, group_name, hashed_split
from steps.split.records import ItemRecords

SETTINGS = SplitSettings(salt="s", validation=0.25, test=0.25)
RECORDS = st.dictionaries(
    st.integers(0, 60).map(str), st.sets(st.sampled_from("pqrstuvwxyz"), min_size=1, max_size=2), max_size=30
)


def groups_of(records: dict[str, set[str]]) -> dict[str, str]:
    found = ItemRecords()
    for photo_id, items in records.items():
        found.add(photo_id, items)
    return {photo_id: group_name("record", name) for photo_id, name in found.groups().items()}


def splits_of(groups: dict[str, str], assignment: Assignment) -> dict[str, str]:
    return {photo_id: assignment.split(group) for photo_id, group in groups.items()}


def test_shares_are_those_asked_for() -> None:
    settings = SplitSettings(salt="any", validation=0.1, test=0.2)
    splits = [hashed_split(group_name("record", str(number)), settings) for number in range(20_000)]
    for split in SPLITS:
        assert splits.count(split) / len(splits) == pytest.approx(settings.share(split), abs=0.01)


def test_only_the_representative_and_the_salt_count() -> None:
    names = [str(number) for number in range(200)]
    record = [hashed_split(group_name("record", name), SETTINGS) for name in names]
    assert [hashed_split(group_name("picture", name), SETTINGS) for name in names] == record
    other = SETTINGS.model_copy(update={"salt": "t"})
    assert [hashed_split(group_name("record", name), other) for name in names] != record


def test_a_larger_validation_share_moves_no_test_photo() -> None:
    wider = SETTINGS.model_copy(update={"validation": 0.5})
    for number in range(500):
        group = group_name("record", str(number))
        assert (hashed_split(group, SETTINGS) == "test") == (hashed_split(group, wider) == "test")


@given(RECORDS, RECORDS)
def test_photos_with_later_ids_move_no_old_one_unless_they_join_groups(
    old: dict[str, set[str]], later: dict[str, set[str]]
) -> None:
    later = {str(int(photo_id) + 61): items for photo_id, items in later.items()}
    before, after = groups_of(old), groups_of(old | later)
    assignment = Assignment(SETTINGS)
    joined = {after[a] for a in old for b in old if before[a] != before[b] and after[a] == after[b]}
    for photo_id, group in before.items():
        if after[photo_id] not in joined:
            assert assignment.split(after[photo_id]) == assignment.split(group)


@given(RECORDS, RECORDS)
def test_with_the_earlier_assignment_only_joined_groups_move_and_as_few_as_can_be(
    old: dict[str, set[str]], new: dict[str, set[str]]
) -> None:
    before = splits_of(groups_of(old), Assignment(SETTINGS))
    groups = groups_of(old | {photo_id: items for photo_id, items in new.items() if photo_id not in old})
    assignment = Assignment(SETTINGS, before, groups.get)
    for group in set(groups.values()):
        earlier = [before[photo_id] for photo_id in groups if groups[photo_id] == group and photo_id in before]
        split = assignment.split(group)
        moved = [
            photo_id for photo_id in groups if groups[photo_id] == group and assignment.moved_from(photo_id, split)
        ]
        assert len(moved) == len(earlier) - max((earlier.count(name) for name in SPLITS), default=0)


@given(RECORDS, st.lists(st.sampled_from(SPLITS), min_size=30, max_size=30), st.permutations(range(30)))
def test_the_order_of_the_earlier_rows_does_not_matter(
    records: dict[str, set[str]], splits: list[str], order: list[int]
) -> None:
    groups = groups_of(records)
    rows = list(zip(records, splits, strict=False))
    shuffled = [rows[index] for index in order if index < len(rows)]
    one, other = (Assignment(SETTINGS, dict(given), groups.get) for given in (rows, shuffled))
    assert splits_of(groups, one) == splits_of(groups, other)


def test_a_draw_goes_to_the_smallest_id() -> None:
    groups = dict.fromkeys(["9", "10"], "record:9")
    assert Assignment(SETTINGS, {"10": "train", "9": "test"}, groups.get).split("record:9") == "test"


def test_photos_that_are_gone_or_new_have_not_moved() -> None:
    assignment = Assignment(SETTINGS, {"1": "test"}, lambda _: None)
    assert assignment.moved_from("1", "train") == "test"
    assert assignment.moved_from("1", "test") is None
    assert assignment.moved_from("2", "train") is None


def test_hashes_spread_evenly() -> None:
    counts = np.bincount([SPLITS.index(hashed_split(f"csv:shelf {n}", SETTINGS)) for n in range(4000)])
    assert counts.tolist() == pytest.approx([2000, 1000, 1000], rel=0.1)


def test_natural_order_is_what_names_a_group() -> None:
    assert groups_of({"10": {"a"}, "9": {"a"}})["10"] == "record:9"
    assert ids.natural("9") < ids.natural("10")
