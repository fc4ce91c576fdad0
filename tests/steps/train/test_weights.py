from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from steps.common.job import JobError
from steps.train.backbones import build
from steps.train.weights import digest, load, package_file

NAME = "efficientnet_lite0"


@pytest.fixture
def backbone() -> nn.Module:
    return build(NAME, 0.0, 0.0, 32).backbone


@pytest.mark.parametrize("name", ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"])
def test_the_packages_carry_the_lite_weights(name: str) -> None:
    backbone = build(name, 0.0, 0.0, 32).backbone
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    line = load(backbone, name, "package", Path())
    assert package_file(name).name in line
    changed = [key for key, value in backbone.state_dict().items() if not torch.equal(value, before[key])]
    assert "_conv_stem.weight" in changed
    assert not any(key.startswith("_fc.") for key in changed)  # the head is of our classes


def test_a_torchvision_backbone_has_no_package() -> None:
    with pytest.raises(JobError, match="no installed package carries weights for resnet18"):
        package_file("resnet18")


def test_nothing_is_loaded_from_scratch(backbone: nn.Module) -> None:
    before = backbone.state_dict()["_conv_stem.weight"].clone()
    assert load(backbone, NAME, "none", Path()) == "weights: from scratch"
    assert torch.equal(backbone.state_dict()["_conv_stem.weight"], before)


def as_safetensors(state: dict[str, torch.Tensor], folder: Path) -> None:
    save_file(state, folder / "w.safetensors")


def as_torch(state: dict[str, torch.Tensor], folder: Path) -> None:
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, folder / "w.pth")


@pytest.mark.parametrize("write", [as_safetensors, as_torch])
def test_the_channel_s_file_is_loaded_with_a_head_that_fits(
    tmp_path: Path, backbone: nn.Module, write: Callable[[dict[str, torch.Tensor], Path], None]
) -> None:
    other = build(NAME, 0.0, 0.0, 32).backbone
    write(other.state_dict(), tmp_path)
    assert "with its head" in load(backbone, NAME, "channel", tmp_path)
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in backbone.state_dict().items())


def test_a_head_of_other_classes_is_left_out(tmp_path: Path, backbone: nn.Module) -> None:
    state = {**build(NAME, 0.0, 0.0, 32).backbone.state_dict(), "_fc.weight": torch.zeros(1000, 1280)}
    del state["_fc.bias"]
    as_safetensors(state, tmp_path)
    assert "head" not in load(backbone, NAME, "channel", tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path, backbone: nn.Module) -> None:
    as_safetensors({"conv1.weight": torch.zeros(3)}, tmp_path)
    with pytest.raises(JobError, match=r"w\.safetensors are weights of another model"):
        load(backbone, NAME, "channel", tmp_path)


@pytest.mark.parametrize("files", [[], ["a.pth", "b.safetensors"]])
def test_the_channel_must_hold_one_file(tmp_path: Path, backbone: nn.Module, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(JobError, match=f"exactly one .* found {len(files)}"):
        load(backbone, NAME, "channel", tmp_path)


class Hostile:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return eval, ("open('/tmp/bincount-pwned', 'w')",)


@pytest.mark.parametrize("content", [pickle.dumps({"x": Hostile()}), b"", b"garbage"])
def test_a_file_with_code_in_it_is_not_run(tmp_path: Path, backbone: nn.Module, content: bytes) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(JobError, match=r"w\.pt cannot be read as weights"):
        load(backbone, NAME, "channel", tmp_path)
    assert not Path("/tmp/bincount-pwned").exists()


def test_other_weights_have_another_digest(tmp_path: Path) -> None:
    channel = tmp_path / "weights"
    channel.mkdir()
    digests = []
    for content in (b"one", b"other"):
        (channel / "x.safetensors").write_bytes(content)
        digests.append(digest("resnet18", "channel", channel))
    assert len({*digests, digest("resnet18", "none", channel)}) == 3
    assert digest("efficientnet_lite0", "package", channel) != digest("efficientnet_lite1", "package", channel)
    with pytest.raises(JobError, match="no installed package"):
        digest("resnet18", "package", channel)
