from __future__ import annotations

import re
import time

import pytest

from steps.train.progress import Meter, epoch_line

METRIC = r"[ ]{}=([-+0-9.eE]+)"  # as the training job's MetricDefinitions have it


def test_the_epoch_line_is_what_the_metric_definitions_read() -> None:
    line = epoch_line({"epoch": 3, "train_loss": 0.912341, "val_macro_f1": 0.5, "best_val_macro_f1": 0.625})
    assert line == "epoch=3 train_loss=0.91234 val_macro_f1=0.50000 best_val_macro_f1=0.62500"
    assert re.findall(METRIC.format("val_macro_f1"), line) == ["0.50000"]
    assert re.findall(METRIC.format("best_val_macro_f1"), line) == ["0.62500"]


def test_progress_is_told_every_few_seconds_and_is_no_metric(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    meter = Meter(1, 3, 2, 10, 8, quiet=False)
    assert not meter.due()
    now[0] += 6
    assert meter.due()
    meter.tell(5, 1.5)
    line = capsys.readouterr().out
    assert line == "epoch 2/3, step 5/10: loss 1.5000, 4 images/s, at most 30 s of training left\n"
    assert "=" not in line
    assert not meter.due()


def test_other_ranks_are_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(0, 1, 0, 1, 1, quiet=True)
    monkeypatch.setattr(time, "monotonic", lambda: 1e12)
    assert not meter.due()
