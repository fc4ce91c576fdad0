"""Every decision, as a table, and the versions that stages want."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.packages import AGAIN, DEPLOYING, FAILED, PASSED, REQUESTED, ROLLED_BACK, Mark, Package
from deploy.plan import BUSY, Endpoint, Seen, decide, desired

CONFIG = "bincount-demo-staging-v2-00000000"


def version(number: int, status: str | None = None, attempt: str | None = None, **members: Any) -> Package:
    """Return a version with the same mark in both stages."""
    marks = {stage: Mark(status, attempt) for stage in ("staging", "production")}
    return Package("bincount-demo", number, f"arn/{number}", marks=marks, **members)


def at(staging: str | None, production: str | None = None, number: int = 1, **members: Any) -> Package:
    marks = {"staging": Mark(staging), "production": Mark(production)}
    return Package("bincount-demo", number, f"arn/{number}", marks=marks, **members)


def seen(
    endpoint: str | None,
    live: Package | None = None,
    wanted: Package | None = None,
    *,
    stage: str = "staging",
    creates: bool = False,
    reason: str = "",
) -> Seen:
    about = None if endpoint is None else Endpoint(endpoint, f"config-{live.version if live else 0}", reason)
    return Seen(stage, about, live, wanted, CONFIG if wanted else None, creates)


BOTH = ("staging", "production")
ROWS: list[tuple[str, tuple[str, ...], dict[str, Any], str]] = [
    ("nothing at all", BOTH, {"endpoint": None}, "none"),
    ("asked for", BOTH, {"endpoint": None, "wanted": version(1, REQUESTED)}, "create"),
    ("approved, no verdict yet", ("production",), {"endpoint": None, "wanted": version(1)}, "create"),
    ("cleaned up, event", BOTH, {"endpoint": None, "wanted": version(1, PASSED)}, "none"),
    ("cleaned up while deploying, event", BOTH, {"endpoint": None, "wanted": version(1, DEPLOYING, CONFIG)}, "none"),
    ("cleaned up, by hand", BOTH, {"endpoint": None, "wanted": version(1, PASSED), "creates": True}, "create"),
    ("failed before, deleted", BOTH, {"endpoint": None, "wanted": version(1, PASSED, AGAIN)}, "create"),
    *[(f"{status}", BOTH, {"endpoint": status, "live": version(1, REQUESTED)}, "wait") for status in sorted(BUSY)],
    ("new", BOTH, {"endpoint": "InService", "live": version(1, DEPLOYING)}, "test"),
    ("never marked", BOTH, {"endpoint": "InService", "live": version(1, REQUESTED)}, "test"),
    ("never tested there", ("production",), {"endpoint": "InService", "live": version(1)}, "test"),
    ("brought back", BOTH, {"endpoint": "InService", "live": version(1, PASSED, "config-1")}, "test"),
    (
        "tested before it is replaced",
        BOTH,
        {"endpoint": "InService", "live": version(1, DEPLOYING), "wanted": version(2, REQUESTED)},
        "test",
    ),
    ("at rest", BOTH, {"endpoint": "InService", "live": version(1, PASSED), "wanted": version(1, PASSED)}, "settle"),
    (
        "a newer one",
        BOTH,
        {"endpoint": "InService", "live": version(1, PASSED), "wanted": version(2, REQUESTED)},
        "update",
    ),
    (
        "back to an older one",
        BOTH,
        {"endpoint": "InService", "live": version(2, FAILED), "wanted": version(1, PASSED)},
        "update",
    ),
    (
        "rolled back by hand",
        BOTH,
        {"endpoint": "InService", "live": version(2, ROLLED_BACK, "config-2"), "wanted": version(1, PASSED)},
        "update",
    ),
    (
        "rolled back by the service",
        BOTH,
        {"endpoint": "InService", "live": version(1, PASSED), "wanted": version(2, DEPLOYING, CONFIG)},
        "judge",
    ),
    (
        "bringing back did not last",
        BOTH,
        {"endpoint": "InService", "live": version(3, FAILED), "wanted": version(2, PASSED, CONFIG)},
        "judge",
    ),
    (
        "asked for again",
        BOTH,
        {"endpoint": "InService", "live": version(1, PASSED), "wanted": version(2, REQUESTED, CONFIG)},
        "update",
    ),
    (
        "deploying with another config",
        BOTH,
        {"endpoint": "InService", "live": version(1, PASSED), "wanted": version(2, DEPLOYING, "older")},
        "update",
    ),
    ("not ours", BOTH, {"endpoint": "InService", "wanted": version(2, REQUESTED)}, "update"),
    ("failed, none before", ("staging",), {"endpoint": "InService", "live": version(1, FAILED)}, "delete"),
    ("failed, none before", ("production",), {"endpoint": "InService", "live": version(1, FAILED)}, "keep"),
    ("rejected, no other", BOTH, {"endpoint": "InService", "live": version(1, PASSED)}, "keep"),
    ("foreign, no other", BOTH, {"endpoint": "InService"}, "keep"),
    ("could not start", BOTH, {"endpoint": "Failed", "live": version(1, DEPLOYING)}, "judge"),
    ("could not start, judged", BOTH, {"endpoint": "Failed", "live": version(1, FAILED)}, "delete"),
    (
        "could not start, an older one passed",
        BOTH,
        {"endpoint": "Failed", "live": version(2, FAILED), "wanted": version(1, PASSED)},
        "delete",
    ),
    ("broke", BOTH, {"endpoint": "Failed", "live": version(1, PASSED), "wanted": version(1, PASSED)}, "again"),
    (
        "broke, noted",
        BOTH,
        {"endpoint": "Failed", "live": version(1, PASSED), "wanted": version(1, PASSED, AGAIN)},
        "delete",
    ),
    (
        "broke again",
        BOTH,
        {"endpoint": "Failed", "live": version(1, PASSED, CONFIG), "wanted": version(1, PASSED, CONFIG)},
        "judge",
    ),
    (
        "an update broke it",
        BOTH,
        {"endpoint": "Failed", "live": version(1, PASSED), "wanted": version(2, DEPLOYING, CONFIG)},
        "judge",
    ),
    (
        "broke, a newer one waits",
        BOTH,
        {"endpoint": "Failed", "live": version(1, PASSED), "wanted": version(2, REQUESTED)},
        "delete",
    ),
    ("failed and not ours", BOTH, {"endpoint": "Failed"}, "delete"),
]
for status in ("OutOfService", "UpdateRollbackFailed"):
    ROWS += [
        (f"{status}, new", BOTH, {"endpoint": status, "live": version(1, DEPLOYING)}, "judge"),
        (
            f"{status}, update",
            BOTH,
            {"endpoint": status, "live": version(1, PASSED), "wanted": version(2, DEPLOYING, CONFIG)},
            "judge",
        ),
        (
            f"{status}, at rest",
            BOTH,
            {"endpoint": status, "live": version(1, PASSED), "wanted": version(1, PASSED)},
            "keep",
        ),
        (
            f"{status}, another may come",
            BOTH,
            {"endpoint": status, "live": version(1, FAILED), "wanted": version(2, PASSED)},
            "update",
        ),
    ]


@pytest.mark.parametrize(
    ("stage", "situation", "kind"),
    [pytest.param(s, row[2], row[3], id=f"{row[0]} ({s})") for row in ROWS for s in row[1]],
)
def test_decision(stage: str, situation: dict[str, Any], kind: str) -> None:
    assert decide(seen(**situation, stage=stage)).kind == kind


def test_judgements_say_why() -> None:
    broken = decide(seen("Failed", version(1, DEPLOYING), reason="no ping"))
    assert (broken.package, broken.status, broken.reason) == (version(1, DEPLOYING), FAILED, "no ping")
    back = decide(seen("InService", version(1, PASSED), version(2, DEPLOYING, CONFIG)))
    assert back.package is not None
    assert (back.package.version, back.reason) == (2, "the service rolled the update back to config-1")
    assert "OutOfService" in decide(seen("OutOfService", version(1, PASSED))).reason


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([], None),
        ([at(None)], None),
        ([at(FAILED, number=2), at(PASSED)], 1),
        ([at(ROLLED_BACK, number=2), at(REQUESTED)], 1),
        ([at(REQUESTED, number=3), at(PASSED, number=2)], 3),
        ([at(DEPLOYING, number=2), at(PASSED)], 2),
    ],
)
def test_staging_wants_the_newest_that_was_asked_for(versions: list[Package], expected: int | None) -> None:
    found = desired("staging", versions)
    assert (found.version if found else None) == expected


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        (at(PASSED, approved=True), True),
        (at(PASSED, approved=False), False),
        (at(DEPLOYING, approved=True), False),
        (at(FAILED, approved=True), False),
        (at(FAILED, approved=True, overridden=True), True),
        (at(None, approved=True, overridden=True), True),
        (at(FAILED, approved=False, overridden=True), False),
        (at(PASSED, REQUESTED, approved=True), True),
        (at(PASSED, DEPLOYING, approved=True), True),
        (at(PASSED, FAILED, approved=True), False),
        (at(PASSED, ROLLED_BACK, approved=True, overridden=True), False),
        (at(FAILED, PASSED, approved=True), True),
    ],
)
def test_production_takes_what_is_approved_and_passed(package: Package, allowed: bool) -> None:
    assert desired("production", [package]) == (package if allowed else None)


def test_versions_are_read_no_further_than_needed() -> None:
    def versions() -> Any:
        yield at(PASSED, number=2, approved=True)
        pytest.fail("the second one is not needed")

    for stage in BOTH:
        assert desired(stage, versions()) is not None
