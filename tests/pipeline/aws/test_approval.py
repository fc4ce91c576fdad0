from __future__ import annotations

import getpass
import re
from typing import Any

import boto3
import pytest

from pipeline.aws import functions
from pipeline.aws import registry as versions
from pipeline.aws.approval import NOTE_CHARACTERS, approve, caller, reject
from pipeline.errors import UserError
from tests.registered import CARD, Registry, evaluation


@pytest.fixture(params=["local", "moto"])
def account(request: pytest.FixtureRequest) -> boto3.Session:
    """Return a session of local AWS, and in a second run one of moto."""
    session: boto3.Session = request.getfixturevalue("session" if request.param == "local" else "moto_session")
    return session


@pytest.fixture
def registry(account: boto3.Session) -> Registry:
    made = Registry(account)
    made.register(evaluation(0.5, "a"), StagingStatus="Passed", ProductionStatus="RolledBack", ProductionReason="5xx")
    return made


@pytest.fixture
def reconciled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(functions, "reconcile", lambda _, group: asked.append(group))
    return asked


def test_approval_keeps_the_metadata_but_not_what_production_said(
    account: boto3.Session, registry: Registry, reconciled: list[str]
) -> None:
    before = registry.metadata(1)
    approve(account, versions.version(account, "counts", 1), "good on full bins", override=False)
    after = versions.version(account, "counts", 1)
    assert after.status == "Approved"
    assert re.fullmatch(r"good on full bins \(\S+, \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\)", after.note or "")
    kept = {key: value for key, value in before.items() if not key.startswith("Production")}
    assert after.metadata == kept
    assert kept["StagingStatus"] == "Passed"
    assert reconciled == []  # the service tells of it itself


def test_an_override_is_recorded_with_who_and_when(
    account: boto3.Session, registry: Registry, reconciled: list[str]
) -> None:
    approve(account, versions.version(account, "counts", 1), None, override=True)
    recorded = registry.metadata(1)["StagingOverride"]
    assert re.fullmatch(rf"{re.escape(caller(account))} \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ", recorded)
    assert (registry.describe(1)["ApprovalDescription"]).startswith("Approved (")


def test_approving_again_asks_for_another_attempt(
    account: boto3.Session, registry: Registry, reconciled: list[str]
) -> None:
    for _ in range(2):
        approve(account, versions.version(account, "counts", 1), None, override=False)
    assert reconciled == ["counts"]


def test_rejecting_keeps_all_metadata(account: boto3.Session, registry: Registry, reconciled: list[str]) -> None:
    before = registry.metadata(1)
    reject(account, versions.version(account, "counts", 1), "miscounts towels")
    after = registry.describe(1)
    assert after["ModelApprovalStatus"] == "Rejected"
    assert after["ApprovalDescription"].startswith("miscounts towels (")
    assert registry.metadata(1) == before


def test_a_note_that_is_too_long_changes_nothing(account: boto3.Session, registry: Registry) -> None:
    with pytest.raises(UserError, match="the note has 801 characters, 800 is the most"):
        approve(account, versions.version(account, "counts", 1), "x" * (NOTE_CHARACTERS + 1), override=False)
    assert versions.version(account, "counts", 1).status == "PendingManualApproval"


def test_what_the_registry_answers(account: boto3.Session, registry: Registry) -> None:
    for status in ("Approved", "Rejected", "Approved"):
        registry.register(evaluation(0.5, "a"), status)
    Registry(account, "others").register(evaluation(0.5, "a"))
    assert [(one.number, one.champion) for one in versions.approved(account, "counts")] == [(4, True), (2, False)]
    assert versions.approved(account, "nothing") == []
    assert versions.holders(account, ["counts", "others", "nothing"], 1) == ["counts", "others"]
    assert versions.holders(account, ["counts", "others"], 4) == ["counts"]
    assert versions.version(account, "counts", 1).data_hash == "p-a-short96"


def test_the_model_card_is_read(session: boto3.Session) -> None:
    registry = Registry(session)
    registry.register(evaluation(0.5, "a"))
    found = versions.version(session, "counts", 1)
    assert versions.card(session, found) == CARD
    card = {"ModelCardContent": "[", "ModelCardStatus": "Draft"}
    registry.client.update_model_package(ModelPackageArn=found.arn, ModelCard=card)
    assert versions.card(session, found) == {}


def test_who_calls_is_the_login_here_and_the_role_there(
    session: boto3.Session, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert caller(moto_session).startswith("user/")

    def user(name: Any) -> None:
        monkeypatch.setattr(getpass, "getuser", name)

    user(lambda: 'o"brien\n{}')
    assert caller(session) == "o-brien---"

    def nobody() -> str:
        raise KeyError

    user(nobody)
    assert caller(session) == "local"
