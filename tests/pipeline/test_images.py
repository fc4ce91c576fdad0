import os
import re
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import get_args

import pytest
from packaging.requirements import Requirement

from pipeline.errors import UserError
from pipeline.images import IMAGE_OF, ROOT, Step, content, entrypoint_of, image_tag, image_uri
from pipeline.settings import load_settings

STEPS: tuple[Step, ...] = get_args(Step)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "somewhere else"
    hidden = shutil.ignore_patterns("__pycache__")
    for folder in ("steps", "containers"):
        shutil.copytree(ROOT / folder, root / folder, ignore=hidden)
    return root


def tags(root: Path) -> dict[Step, str]:
    return {step: image_tag(step, root) for step in STEPS}


def test_a_uri_names_repository_step_and_content() -> None:
    settings = load_settings("demo", {"aws.account": "111122223333", "aws.region": "eu-west-1"})
    pattern = r"111122223333\.dkr\.ecr\.eu-west-1\.amazonaws\.com/bincount-processing:evaluate-[0-9a-f]{12}"
    assert re.fullmatch(pattern, image_uri("evaluate", settings))
    china = load_settings("demo", {"aws.region": "cn-north-1"})
    assert ".dkr.ecr.cn-north-1.amazonaws.com.cn/bincount-training:train-" in image_uri("train", china)


def test_neither_place_nor_time_nor_what_is_not_content_changes_a_tag(checkout: Path) -> None:
    before = tags(checkout)
    assert before == tags(ROOT)
    (checkout / "steps" / "evaluate" / "README.md").write_text("other words")
    for name in ("tests/test_it.py", "__pycache__/x.pyc", ".coverage", "draft.py~"):
        path = checkout / "steps" / "evaluate" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("noise")
    for path in checkout.rglob("*"):
        os.utime(path, (1, 1))
    assert tags(checkout) == before


@pytest.mark.parametrize(
    ("changed", "rebuilt"),
    [
        ("steps/split/new.py", {"split"}),
        ("steps/evaluate/report.html", {"evaluate"}),
        ("steps/train/deep/er/new.py", {"train"}),
        ("steps/common/new.py", set(STEPS)),
        ("steps/__init__.py", set(STEPS)),
        ("containers/processing/requirements.txt", {"split", "evaluate"}),
        ("containers/training/Dockerfile", {"train"}),
        ("containers/training/torch.txt", {"train"}),
        ("containers/inference/server.py", {"inference"}),
        ("docs/new.md", set()),
    ],
)
def test_a_change_renames_exactly_the_images_that_hold_it(checkout: Path, changed: str, rebuilt: set[str]) -> None:
    before = tags(checkout)
    path = checkout / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write("# changed\n")
    after = tags(checkout)
    assert {step for step in STEPS if before[step] != after[step]} == rebuilt


def test_another_base_renames_the_images_that_are_built_on_it() -> None:
    settings = {
        "": load_settings("demo"),
        "all": load_settings("demo", {"images.base": "mirror.example/python:3.11.15"}),
        "training": load_settings("demo", {"images.training_base": "pytorch:2.14.1"}),
    }
    uris = {name: {step: image_uri(step, given) for step in STEPS} for name, given in settings.items()}
    assert {step for step in STEPS if uris["all"][step] != uris[""][step]} == set(STEPS)
    assert {step for step in STEPS if uris["training"][step] != uris[""][step]} == {"train"}


def test_a_file_moved_within_a_step_changes_its_tag(checkout: Path) -> None:
    (checkout / "steps/split/a.py").write_text("x = 1\n")
    before = image_tag("split", checkout)
    (checkout / "steps/split/a.py").rename(checkout / "steps/split/b.py")
    assert image_tag("split", checkout) != before


def test_outside_a_checkout_there_is_nothing_to_tag(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run this from a checkout"):
        image_tag("train", tmp_path)


def test_the_training_image_runs_the_step_by_its_entry_point() -> None:
    settings = load_settings("demo")
    assert entrypoint_of(image_uri("train", settings)) == ["python3", "-m", "steps.train"]
    assert entrypoint_of("bincount-training@sha256:0123") == ["python3", "-m", "steps.train"]
    assert entrypoint_of(image_uri("split", settings)) is None  # the definition's own runs


@pytest.mark.parametrize(
    "uri", ["", "training", "111.dkr.ecr.x.amazonaws.com/other-training:1", "bincount-../x", "a/b/c"]
)
def test_other_peoples_images_have_no_entry_point_here(uri: str) -> None:
    assert entrypoint_of(uri) is None


def requirements(image: str) -> dict[str, str]:
    """Return the blocks of an image's requirements, pin and hashes, by their pins."""
    text = "".join(path.read_text() for path in sorted((ROOT / "containers" / image).glob("*.txt")))
    blocks = re.findall(r"^[^#\s].*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    return {re.split(r"[\s\\;]", block)[0]: block for block in blocks}


@pytest.mark.parametrize("image", ["processing", "training", "inference"])
def test_an_image_s_requirements_are_hashed_and_satisfy_the_extra_of_its_name(image: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found = requirements(image)
    assert all(re.fullmatch(r"[\w-]+==[\w.+]+", pin) for pin in found)
    assert [pin for pin, block in found.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}(\s|$)", block)] == []
    pinned = dict(pin.split("==") for pin in found)
    assert len(pinned) == len(found)
    for wanted in map(Requirement, extras[image]):
        assert wanted.specifier.contains(pinned[wanted.name]), f"run `python -m pipeline.building.lock`: {wanted}"


def test_only_the_training_image_holds_pytorch() -> None:
    for image in ("processing", "inference"):
        assert not any(pin.startswith(("torch", "nvidia")) for pin in requirements(image))
    torch = (ROOT / "containers" / "training" / "torch.txt").read_text()
    assert re.search(r"^torch==\d+\.\d+\.\d+ ", torch, re.MULTILINE)  # the Dockerfile reads the minor version


@pytest.mark.parametrize("image", ["processing", "training", "inference"])
def test_an_image_installs_nothing_without_its_hash_on_a_base_of_one_version(image: str) -> None:
    text = (ROOT / "containers" / image / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip install ([^&;\n]*)", text)
    assert installs
    assert all({"--require-hashes", "--no-cache-dir"} < set(install.split()) for install in installs)
    assert re.search(r"^ARG BASE_IMAGE=\S+python:3\.11\.\d+-\S+$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE_IMAGE}", "${BASE_IMAGE}"]


def test_a_dockerfile_copies_all_of_the_image_s_content() -> None:
    for step in STEPS:
        text = (ROOT / "containers" / IMAGE_OF[step] / "Dockerfile").read_text().replace("${STEP}", step)
        copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY") and "--from" not in line]
        for name, _ in content(step):
            assert name.endswith("Dockerfile") or any(name == path or name.startswith(f"{path}/") for path in copied)


def test_what_a_tag_does_not_count_stays_out_of_the_image(checkout: Path) -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    before = image_tag("train", checkout)
    for name in ("README.md", "tests/test_it.py", "__pycache__/x.pyc", "x.pyc", ".coverage", "draft.py~", "a.egg-info"):
        path = checkout / "steps" / "train" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("noise")
        patterns = [pattern.removeprefix("**/") for pattern in ignored]
        assert any(fnmatch(part, pattern) for part in Path(name).parts for pattern in patterns), name
    assert image_tag("train", checkout) == before
    for name, _ in content("train"):
        assert not any(fnmatch(part, pattern) for part in Path(name).parts for pattern in patterns), name


def test_line_ends_are_the_same_in_every_checkout() -> None:
    attributes = (ROOT / ".gitattributes").read_text().splitlines()
    assert "* text=auto eol=lf" in attributes
    assert [name for step in STEPS for name, path in content(step) if b"\r\n" in path.read_bytes()] == []
