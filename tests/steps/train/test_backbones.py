from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch

from steps.common.labels import CLASSES
from steps.train.backbones import FAMILIES, PhotoClassifier, build, freeze_batchnorm
from steps.train.hyperparameters import Backbone
from steps.train.weights import load


def test_every_backbone_that_may_be_asked_for_is_there() -> None:
    assert set(FAMILIES) == set(get_args(Backbone))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_backbone_takes_photos_and_its_head_is_where_it_is_said(name: str) -> None:
    model = build(name, 0.1, 0.1, 32).eval()
    with torch.inference_mode():
        assert model(torch.zeros((1, 32, 32, 3), dtype=torch.uint8)).shape == (1, CLASSES)
    of_classes = {key for key, value in model.backbone.state_dict().items() if value.shape[:1] == (CLASSES,)}
    assert of_classes == {f"{FAMILIES[name].head}weight", f"{FAMILIES[name].head}bias"}


def pretrained(dropout: float, drop_path: float) -> PhotoClassifier:
    """Build a model whose signals do not fade, with frozen statistics, so that only these two are random."""
    model = build("efficientnet_lite0", dropout, drop_path, 32)
    load(model.backbone, "efficientnet_lite0", "package", Path())
    freeze_batchnorm(model.train())
    return model


def test_dropout_and_drop_path_reach_the_default_backbone() -> None:
    photos = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    for dropout, drop_path in ((0.5, 0.0), (0.0, 0.5)):
        model = pretrained(dropout, drop_path)
        assert not torch.equal(model(photos), model(photos))
    model = pretrained(0.0, 0.0)
    assert torch.equal(model(photos), model(photos))


def test_frozen_batch_norm_keeps_its_statistics() -> None:
    model = build("efficientnet_lite0", 0.0, 0.0, 32).train()
    freeze_batchnorm(model)
    before = {name: value.clone() for name, value in model.named_buffers()}
    model(torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8))
    assert all(torch.equal(value, before[name]) for name, value in model.named_buffers())
