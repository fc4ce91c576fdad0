from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common.job import JobError
from steps.train.sampler import MIN_LOCAL, plan, shard


@given(st.integers(8, 200), st.integers(8, 64), st.integers(1, 4), st.integers(0, 50))
def test_the_ranks_share_each_global_batch_whatever_their_number(
    photos: int, batch: int, world: int, epoch: int
) -> None:
    alone = plan(photos, batch, 1, 7).batches(epoch, 0)
    shared = plan(photos, batch, world, 7)
    for step, whole in enumerate(alone):
        parts = [shared.batches(epoch, rank)[step] for rank in range(world)]
        assert sorted(np.concatenate(parts)) == sorted(whole)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(8, 200), st.integers(8, 64), st.integers(0, 50))
def test_an_epoch_sees_each_photo_once_as_far_as_whole_batches_go(photos: int, batch: int, epoch: int) -> None:
    seen = np.concatenate(plan(photos, batch, 1, 7).batches(epoch, 0))
    assert len(set(seen.tolist())) == len(seen) == photos - photos % min(batch, photos)


@given(st.integers(8, 100), st.integers(8, 16), st.data())
def test_starting_at_a_step_gives_the_rest_of_the_epoch(photos: int, batch: int, data: st.DataObject) -> None:
    whole = plan(photos, batch, 2, 3)
    start = data.draw(st.integers(0, whole.steps))
    rest = whole.batches(5, 1, start)
    assert [part.tolist() for part in rest] == [part.tolist() for part in whole.batches(5, 1)[start:]]


def test_epochs_and_seeds_have_their_own_order() -> None:
    orders = [plan(50, 10, 1, seed).order(epoch).tolist() for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    assert len({tuple(order) for order in orders}) == 3


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    assert plan(10, 64, 2, 0).batch == 10


def test_too_few_photos_for_the_processes_are_refused() -> None:
    with pytest.raises(JobError, match="less than 2 for each of 4 processes"):
        plan(4 * MIN_LOCAL - 1, 64, 4, 0)


@given(st.integers(0, 100), st.integers(1, 16), st.integers(1, 4))
def test_validation_sees_each_photo_once_over_all_ranks(photos: int, batch: int, world: int) -> None:
    seen = [index for rank in range(world) for part in shard(photos, batch, rank, world) for index in part.tolist()]
    assert sorted(seen) == list(range(photos))
