from collections.abc import Callable

import boto3
import pytest

from pipeline.aws.repositories import login
from pipeline.building.engine import find
from pipeline.building.images import Image, images_of
from pipeline.building.pusher import push
from pipeline.errors import UserError
from pipeline.settings import load_settings
from tests.engines import FakeEngine
from tests.manifests import put_image

IMAGES = images_of(load_settings("demo", {"aws.account": "123456789012"}))
TRAIN = IMAGES[1]


def ignore(line: str) -> None: ...


@pytest.fixture
def ecr(moto_session: boto3.Session) -> boto3.Session:
    """Return a session of an account whose repositories hold something else."""
    for repository in {image.repository for image in IMAGES}:
        put_image(moto_session, repository, "older")
    return moto_session


@pytest.fixture
def pushed(ecr: boto3.Session, podman: FakeEngine) -> Callable[..., list[Image]]:
    """Return a function that pushes, with an engine that has the images, and notes how long it waited."""

    def call(*images: Image, waits: list[float] | None = None) -> list[Image]:
        for image in images:
            podman.holds(image.uri)
        return push(images, find(), ecr, ignore, (waits if waits is not None else []).append)

    return call


def test_only_what_ecr_has_not_is_pushed(
    pushed: Callable[..., list[Image]], podman: FakeEngine, ecr: boto3.Session
) -> None:
    put_image(ecr, TRAIN.repository, TRAIN.tag)
    others = [image for image in IMAGES if image is not TRAIN]
    assert pushed(*IMAGES) == others
    assert [call[-1] for call in podman.called("push")] == [image.uri for image in others]


def test_where_ecr_has_all_nobody_signs_in(
    pushed: Callable[..., list[Image]], podman: FakeEngine, ecr: boto3.Session
) -> None:
    put_image(ecr, TRAIN.repository, TRAIN.tag)
    assert pushed(TRAIN) == []
    assert podman.called("login") == []


def test_the_password_goes_in_by_standard_input_alone(
    pushed: Callable[..., list[Image]], podman: FakeEngine, ecr: boto3.Session
) -> None:
    assert pushed(TRAIN) == [TRAIN]
    password = login(ecr, TRAIN.registry)
    assert podman.stdin == [password]
    assert not any(password in argument for call in podman.calls for argument in call)
    verbs = [call[0] for call in podman.calls if call[0] != "image"]
    assert verbs == ["login", "push", "logout"]
    assert "--format=v2s2" in podman.called("push")[0]
    (kept,) = {word for verb in verbs for word in podman.called(verb)[0] if word.startswith("--authfile=")}
    assert "bincount-" in kept


def test_what_was_not_built_is_named_before_anything_is_pushed(ecr: boto3.Session, podman: FakeEngine) -> None:
    podman.holds(TRAIN.uri)
    with pytest.raises(UserError, match="not built here: split, evaluate, inference: run `bincount images build"):
        push(IMAGES, find(), ecr, ignore)
    assert podman.called("push") == []


def test_an_account_without_repositories_needs_bootstrap(moto_session: boto3.Session, podman: FakeEngine) -> None:
    with pytest.raises(UserError, match="run `bincount bootstrap`"):
        push(IMAGES, find(), moto_session, ignore)


def test_what_passes_is_tried_again(pushed: Callable[..., list[Image]], podman: FakeEngine) -> None:
    podman.fails("push", "toomanyrequests: Rate exceeded", "unexpected EOF")
    waits: list[float] = []
    assert pushed(TRAIN, waits=waits) == [TRAIN]
    assert len(podman.called("push")) == 3
    assert 1 <= waits[0] <= 2 <= waits[1] <= 4


def test_after_five_attempts_it_is_over(pushed: Callable[..., list[Image]], podman: FakeEngine) -> None:
    podman.fails("push", *["503 Service Unavailable"] * 9)
    with pytest.raises(UserError, match="could not be pushed: 503 Service Unavailable"):
        pushed(TRAIN)
    assert len(podman.called("push")) == 5
    assert len(podman.called("logout")) == 1


def test_a_refusal_is_not_tried_again(pushed: Callable[..., list[Image]], podman: FakeEngine) -> None:
    podman.fails("push", "denied: User is not authorized to perform ecr:InitiateLayerUpload")
    with pytest.raises(UserError, match="could not be pushed: denied"):
        pushed(TRAIN)
    assert len(podman.called("push")) == 1


def test_somebody_else_s_push_of_the_same_image_is_as_good(
    ecr: boto3.Session, podman: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman.holds(TRAIN.uri)
    podman.fails("push", "tag invalid: The image tag already exists and cannot be overwritten")

    def meanwhile(line: str) -> None:
        if "tag invalid" in line:
            put_image(ecr, TRAIN.repository, TRAIN.tag)

    assert push([TRAIN], find(), ecr, meanwhile) == []


def test_a_sign_in_that_fails_is_one_line(pushed: Callable[..., list[Image]], podman: FakeEngine) -> None:
    podman.fails("login", "Error: cannot write auth.json")
    with pytest.raises(UserError, match=r"podman cannot sign in to 123456789012\S+: Error: cannot write auth\.json"):
        pushed(TRAIN)
