from __future__ import annotations

import pytest

from benchmarks.jobs import steady_rate

LOG = """weights: of the package
epoch 1/3, step 3/8: loss 1.5, 99 images/s, at most 3 s of training left
epoch=1 train_loss=1.5 images_per_second=10.0 best_val_macro_f1=0.1
epoch=2 train_loss=1.4 images_per_second=20.0 best_val_macro_f1=0.1
epoch=3 train_loss=1.3 images_per_second=40.0 best_val_macro_f1=0.1
"""


def test_the_first_epoch_is_left_out() -> None:
    assert steady_rate(LOG) == 30.0


def test_a_log_of_one_epoch_has_no_rate() -> None:
    with pytest.raises(ValueError, match="fewer than two epochs"):
        steady_rate("\n".join(LOG.splitlines()[:3]))
