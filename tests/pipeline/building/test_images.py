import subprocess
from pathlib import Path

import pytest

from pipeline.building.images import images_of, labels
from pipeline.images import image_uri
from pipeline.settings import load_settings


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_images_are_those_of_the_definition() -> None:
    settings = load_settings("demo", {"aws.account": "111122223333"})
    images = {image.step: image for image in images_of(settings)}
    assert list(images) == ["split", "train", "evaluate", "inference"]
    assert {step: image.uri for step, image in images.items()} == {step: image_uri(step, settings) for step in images}
    split = images["split"]
    assert split.registry == "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    assert split.repository == "bincount-processing"
    assert split.tag.startswith("split-")
    assert split.dockerfile == "containers/processing/Dockerfile"
    assert split.build_args == (("STEP", "split"),)
    assert images["train"].build_args == images["inference"].build_args == ()


def test_another_base_is_another_tag_and_an_argument_of_the_build() -> None:
    plain = images_of(load_settings("demo"))
    based = images_of(load_settings("demo", {"images.base": "mirror.example/python:3.11"}))
    assert all(one.tag != other.tag for one, other in zip(plain, based, strict=True))
    assert all(("BASE_IMAGE", "mirror.example/python:3.11") in image.build_args for image in based)
    torch = images_of(load_settings("demo", {"images.training_base": "pytorch:2.14"}))
    assert [one.step for one, other in zip(plain, torch, strict=True) if one != other] == ["train"]
    assert torch[1].build_args == (("BASE_IMAGE", "pytorch:2.14"),)


def test_labels_say_where_an_image_came_from_and_no_secret(tmp_path: Path) -> None:
    image = images_of(load_settings("demo"))[1]
    assert labels(image, tmp_path) == {
        "org.opencontainers.image.title": "bincount-train",
        "org.opencontainers.image.version": image.tag,
    }
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "https://user:t0ken@git.example/team/bincount.git")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    found = labels(image, tmp_path)
    assert found["org.opencontainers.image.revision"] == head
    assert found["org.opencontainers.image.source"] == "https://git.example/team/bincount.git"
    (tmp_path / "file").write_text("2")
    assert labels(image, tmp_path)["org.opencontainers.image.revision"] == f"{head}-dirty"


@pytest.mark.parametrize("base", ["--privileged", "", "a b", "x" * 256])
def test_a_base_is_an_image_s_name(base: str) -> None:
    from pipeline.errors import UserError

    with pytest.raises(UserError, match=r"images\.base"):
        load_settings("demo", {"images.base": base})
