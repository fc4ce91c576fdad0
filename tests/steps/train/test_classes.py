from __future__ import annotations

import torch

from steps.common.labels import AUXILIARY_LABELS, CLASSES, LABELS
from steps.train.backbones import build
from steps.train.classes import SERVED, WIDE


def test_the_served_counts_are_found_among_the_wide_ones() -> None:
    counts = range(WIDE.first, WIDE.first + WIDE.number)
    assert sorted([*LABELS, *AUXILIARY_LABELS]) == list(counts)
    assert tuple(counts[WIDE.served]) == LABELS
    assert tuple(range(1, 6)[SERVED.served]) == LABELS


def test_a_wide_model_serves_the_logits_of_one_to_five() -> None:
    torch.manual_seed(0)
    model = build("efficientnet_lite0", 0.0, 0.0, 32, WIDE)
    photos = torch.zeros((2, 32, 32, 3), dtype=torch.uint8)
    assert model.train()(photos).shape == (2, WIDE.number)
    served = model.eval()(photos)
    assert served.shape == (2, CLASSES)
    assert torch.equal(served, model.backbone((photos.permute(0, 3, 1, 2) - model.mean) / model.std)[:, 1:6])
