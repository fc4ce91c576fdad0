from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.aws.cleanup.models import Key, Kind, Plan, Resource
from pipeline.aws.cleanup.planner import plan

TAGS = {"project": "bincount", "group": "bincount-demo"}
VERSION = "bincount-demo-staging-v1-0123abcd"
ENDPOINT = Key(Kind.ENDPOINT, "bincount-demo-staging")
CONFIG = Key(Kind.CONFIG, VERSION)
MODEL = Key(Kind.MODEL, VERSION)
ALARM = Key(Kind.ALARM, f"{VERSION}-5xx")
TARGET = Key(Kind.TARGET, f"endpoint/{ENDPOINT.name}/variant/AllTraffic")
POLICY = Key(Kind.POLICY, f"{TARGET.name}/invocations")
SCHEDULE = Key(Kind.SCHEDULE, "bincount-nightly")


def resource(key: Key, *uses: Key, tags: dict[str, str] = TAGS) -> Resource:
    return Resource(key, tags, frozenset(uses))


WHOLE = (
    resource(MODEL),
    resource(CONFIG, MODEL),
    resource(ENDPOINT, CONFIG, ALARM),
    resource(ALARM),
    Resource(TARGET, uses=frozenset({ENDPOINT})),
    Resource(POLICY, uses=frozenset({ENDPOINT, TARGET})),
    resource(SCHEDULE),
)


def going(planned: Plan) -> list[Key]:
    return [one.key for one in planned.removals]


def kept(planned: Plan) -> dict[Key, str]:
    return {one.key: one.reason for one in planned.kept}


def test_everything_of_a_deployment_goes_users_first() -> None:
    planned = plan(WHOLE)
    assert going(planned) == [SCHEDULE, POLICY, TARGET, ENDPOINT, ALARM, CONFIG, MODEL]
    assert planned.kept == ()
    assert {one.key: one.after for one in planned.removals}[MODEL] == {CONFIG}


def test_nothing_there_is_nothing_to_do() -> None:
    assert plan([]) == Plan()


@pytest.mark.parametrize(
    ("other", "stays"),
    [
        (Resource(Key(Kind.ENDPOINT, "theirs"), uses=frozenset({CONFIG})), [CONFIG, MODEL]),
        (Resource(Key(Kind.ENDPOINT, "theirs"), uses=frozenset({ALARM})), [ALARM]),
        (Resource(Key(Kind.CONFIG, "theirs"), uses=frozenset({MODEL})), [MODEL]),
        (resource(Key(Kind.CONFIG, "bincount-mine"), MODEL, tags={}), [MODEL]),
        (resource(Key(Kind.CONFIG, "bincount-x"), MODEL, tags={**TAGS, "group": "bincount-x"}), [MODEL]),
    ],
)
def test_what_others_use_stays_and_says_so(other: Resource, stays: list[Key]) -> None:
    planned = plan([*WHOLE, other], "bincount-demo")
    assert set(going(planned)) == {one.key for one in WHOLE} - set(stays)
    reasons = kept(planned)
    assert reasons[stays[0]] == f"{other.key} uses it"
    assert set(stays) <= set(reasons)


@pytest.mark.parametrize(
    ("stranger", "reason"),
    [
        (Resource(Key(Kind.MODEL, "theirs"), TAGS), None),
        (Resource(Key(Kind.MODEL, "bincountry"), TAGS), None),
        (Resource(Key(Kind.MODEL, "bincount-x")), "has no tag project=bincount"),
        (Resource(Key(Kind.MODEL, "bincount-x"), {"project": "other"}), "has no tag project=bincount"),
        (Resource(Key(Kind.ALARM, "bincount-deploy-errors"), TAGS), None),
        (
            Resource(Key(Kind.SCHEDULE, "bincount-x"), {**TAGS, "aws:cloudformation:stack-name": "bincount"}),
            "belongs to the CloudFormation stack bincount, which removes it",
        ),
        (Resource(Key(Kind.TARGET, "endpoint/theirs/variant/a"), uses=frozenset({Key(Kind.ENDPOINT, "theirs")})), None),
    ],
)
def test_what_is_not_ours_stays(stranger: Resource, reason: str | None) -> None:
    planned = plan([stranger, Resource(Key(Kind.ENDPOINT, "theirs"))])
    assert going(planned) == []
    assert kept(planned) == ({} if reason is None else {stranger.key: reason})


@pytest.mark.parametrize(("group", "goes"), [(None, True), ("bincount-demo", True), ("bincount-dem", False)])
def test_scaling_of_an_endpoint_that_is_gone_goes(group: str | None, goes: bool) -> None:
    target = Resource(TARGET, uses=frozenset({ENDPOINT}))
    assert bool(going(plan([target], group))) is goes
    owner = Key(Kind.ENDPOINT, "bincount-demo-other")
    assert going(plan([Resource(TARGET, uses=frozenset({owner}))], group)) == []


def test_a_group_is_told_by_its_tag_not_by_how_names_begin() -> None:
    longer = Key(Kind.MODEL, "bincount-demo-two-staging-v1-0123abcd")
    other = resource(longer, tags={**TAGS, "group": "bincount-demo-two"})
    untagged = [Resource(Key(Kind.MODEL, name)) for name in ("bincount-demo-x", "bincount-other-x")]
    bare = resource(Key(Kind.SCHEDULE, "bincount-all"), tags={"project": "bincount"})
    planned = plan([*WHOLE, other, *untagged, bare], "bincount-demo")
    assert going(planned) == [SCHEDULE, POLICY, TARGET, ENDPOINT, ALARM, CONFIG, MODEL]
    assert list(kept(planned)) == [untagged[0].key]


@st.composite
def accounts(draw: st.DrawFn) -> list[Resource]:
    """Draw an account: things of ours and of others that use one another at random, users always before used."""
    kinds = st.sampled_from([Kind.ENDPOINT, Kind.ALARM, Kind.CONFIG, Kind.MODEL])
    names = st.sampled_from(["theirs-", "bincount-demo-staging-v1-0123abc"]).flatmap(
        lambda name: st.sampled_from("0123456789").map(lambda digit: name + digit)
    )
    drawn = draw(st.lists(st.builds(Key, kinds, names), unique=True, max_size=12))
    keys = [Key(key.kind, f"{key.name}-5xx") if key.kind is Kind.ALARM else key for key in drawn]
    tags = st.sampled_from([{}, TAGS, {"project": "other"}, {**TAGS, "group": "bincount-b"}])
    found = []
    for key in keys:
        usable = [other for other in keys if other.kind.place > key.kind.place]
        uses = draw(st.frozensets(st.sampled_from(usable), max_size=3)) if usable else frozenset()
        found.append(Resource(key, draw(tags), uses))
    endpoints = [key for key in keys if key.kind is Kind.ENDPOINT]
    for endpoint in endpoints:
        target = Key(Kind.TARGET, f"endpoint/{endpoint.name}/variant/AllTraffic")
        found.append(Resource(target, uses=frozenset({endpoint})))
    return found


@given(accounts(), st.sampled_from([None, "bincount-demo"]), st.randoms(use_true_random=False))
def test_any_account(account: list[Resource], group: str | None, chance: random.Random) -> None:
    planned = plan(account, group)
    order = going(planned)
    there = {one.key: one for one in account}
    for place, key in enumerate(order):
        users = {user.key for user in account if key in user.uses}
        assert users <= set(order[:place]), "everything that uses it goes before it"
        if key.kind is not Kind.TARGET:
            assert key.name.startswith("bincount-")
            assert there[key].tags["project"] == "bincount"
            assert group in {None, there[key].tags["group"]}
    left = [one for one in account if one.key not in order]
    assert going(plan(left, group)) == [], "what stays once, stays"
    shuffled = account.copy()
    chance.shuffle(shuffled)
    assert plan(shuffled, group) == planned
