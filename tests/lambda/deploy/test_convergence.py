"""Whatever happens in whatever order, and whichever events are lost, doubled or late: everything comes to rest well.

The service and the registry are a few lines here; what the function decides is its own code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from deploy.packages import AGAIN, DEPLOYING, FAILED, PASSED, REQUESTED, Mark, Package
from deploy.plan import BUSY, Action, Endpoint, Seen, decide, desired

STAGES = ("staging", "production")
Event = tuple[str, int]


def config(version: int) -> str:
    return f"config-{version}"


@dataclass
class Simulation:
    bad: set[int]
    """Versions that answer wrongly."""
    dead: set[int]
    """Versions that do not start."""
    packages: dict[int, Package] = field(default_factory=dict)
    endpoints: dict[str, Endpoint | None] = field(default_factory=lambda: dict.fromkeys(STAGES))
    heading: dict[str, int] = field(default_factory=dict)
    """The version that an endpoint is on its way to."""
    changes: int = 0

    def register(self, _: int) -> None:
        number = len(self.packages) + 1
        self.packages[number] = Package("g", number, str(number))

    def request(self, version: int) -> None:
        if version in self.packages and self.packages[version].mark("staging").status not in {DEPLOYING, PASSED}:
            self.mark(version, "staging", Mark(REQUESTED))
        self.call("staging", creates=True)

    def approve(self, version: int) -> None:
        if version in self.packages:
            self.packages[version] = replace(self.packages[version], approved=True)

    def reject(self, version: int) -> None:
        if version in self.packages:
            self.packages[version] = replace(self.packages[version], approved=False)

    def event(self, stage: int) -> None:
        self.call(STAGES[stage % 2])

    def die(self, rounds: int) -> None:
        """Call the function, which dies after so many rounds, the mark of its last change unwritten."""
        self.call(STAGES[rounds % 2], rounds=1 + rounds // 2, marks=False)

    def clean_up(self, stage: int) -> None:
        name = STAGES[stage % 2]
        endpoint = self.endpoints[name]
        if endpoint is not None and endpoint.status not in BUSY:
            self.endpoints[name] = None

    def finish(self, stage: int) -> None:
        """Let the service end what is under way; nobody is told."""
        name = STAGES[stage % 2]
        endpoint = self.endpoints[name]
        if endpoint is None or endpoint.status not in BUSY:
            return
        if endpoint.status == "Deleting":
            self.endpoints[name] = None
        elif (version := self.heading[name]) not in self.dead:
            self.endpoints[name] = Endpoint("InService", config(version))
        elif endpoint.status == "Creating":
            self.endpoints[name] = Endpoint("Failed", endpoint.config, "no ping")
        else:
            self.endpoints[name] = Endpoint("InService", endpoint.config, "rolled back")

    def mark(self, version: int, stage: str, mark: Mark) -> None:
        package = self.packages[version]
        self.packages[version] = replace(package, marks={**package.marks, stage: mark})

    def newest_first(self) -> list[Package]:
        return [self.packages[number] for number in sorted(self.packages, reverse=True)]

    def look(self, stage: str, *, creates: bool) -> Seen:
        endpoint, wanted = self.endpoints[stage], desired(stage, self.newest_first())
        live = self.packages.get(int(endpoint.config.removeprefix("config-"))) if endpoint else None
        return Seen(stage, endpoint, live, wanted, config(wanted.version) if wanted else None, creates)

    def call(self, stage: str, *, creates: bool = False, rounds: int = 20, marks: bool = True) -> Action | None:
        for left in reversed(range(rounds)):
            action = decide(self.look(stage, creates=creates))
            if action.ends:
                return action
            self.take(stage, action, marks=marks or left > 0)
        assert rounds < 20, "the function does not come to an end"
        return None

    def take(self, stage: str, action: Action, *, marks: bool) -> None:
        endpoint, package = self.endpoints[stage], action.package
        if action.kind == "delete":
            assert endpoint is not None
            self.endpoints[stage] = Endpoint("Deleting", endpoint.config)
            return
        assert package is not None
        number, status = package.version, package.mark(stage).status
        if action.kind == "test":
            self.mark(number, stage, Mark(FAILED if number in self.bad else PASSED))
        elif action.kind == "judge":
            self.mark(number, stage, Mark(action.status))
        elif action.kind == "again":
            self.mark(number, stage, Mark(status, AGAIN))
        else:
            self.change(stage, package)
            if marks:
                self.mark(number, stage, Mark(PASSED if status == PASSED else DEPLOYING, config(number)))

    def change(self, stage: str, package: Package) -> None:
        """Create or update an endpoint, and hold what may never happen."""
        endpoint = self.endpoints[stage]
        assert endpoint is None or endpoint.status not in BUSY
        assert package.mark(stage).status != FAILED
        if stage == "production":
            assert package.approved
            assert PASSED in {package.mark("staging").status, package.mark("production").status}
        self.changes += 1
        self.heading[stage] = package.version
        status = "Creating" if endpoint is None else "Updating"
        self.endpoints[stage] = Endpoint(status, config(package.version) if endpoint is None else endpoint.config)

    def come_to_rest(self) -> None:
        for _ in range(60):
            before = (self.endpoints.copy(), self.packages.copy())
            for index, stage in enumerate(STAGES):
                self.call(stage, creates=True)
                self.finish(index)
            if before == (self.endpoints, self.packages):
                return
        raise AssertionError("the endpoints do not come to rest")


KINDS = ("register", "request", "approve", "reject", "event", "die", "clean_up", "finish")
numbers = st.integers(1, 4)
histories = st.lists(st.tuples(st.sampled_from(KINDS), numbers), max_size=40)


@given(histories, st.sets(numbers, max_size=3), st.sets(numbers, max_size=2))
def test_any_history_comes_to_rest(history: list[Event], bad: set[int], dead: set[int]) -> None:
    world = Simulation(bad, dead)
    for kind, number in history:
        getattr(world, kind)(number)
    world.come_to_rest()
    for stage in STAGES:
        endpoint, wanted = world.endpoints[stage], desired(stage, world.newest_first())
        assert endpoint is None or endpoint.status == "InService"
        live = int(endpoint.config.removeprefix("config-")) if endpoint else None
        if wanted is not None:
            assert live == wanted.version
            assert world.packages[wanted.version].mark(stage) == Mark(PASSED)
        elif stage == "staging":
            assert live is None
    changes = world.changes
    for stage in STAGES * 2:
        world.call(stage)
    assert world.changes == changes


@given(st.permutations([(kind, n) for kind in ("request", "approve") for n in (1, 2, 3)]), histories)
def test_the_newest_good_version_wins_in_any_order(facts: list[Event], noise: list[Event]) -> None:
    world = Simulation(bad={3}, dead=set())
    for _ in range(3):
        world.register(0)
    harmless = [one for one in noise if one[0] in {"event", "die", "finish"}]
    for index, (kind, number) in enumerate(facts):
        getattr(world, kind)(number)
        for noisy, argument in harmless[index :: len(facts)]:
            getattr(world, noisy)(argument)
    world.come_to_rest()
    assert [one.config for one in world.endpoints.values() if one] == ["config-2", "config-2"]


@given(st.lists(st.tuples(st.sampled_from(["event", "die", "finish", "clean_up"]), numbers), max_size=30))
def test_events_alone_bring_nothing_back_that_was_cleaned_up(history: list[Event]) -> None:
    world = Simulation(set(), set())
    world.register(0)
    world.request(1)
    world.approve(1)
    world.come_to_rest()
    world.clean_up(0)
    world.clean_up(1)
    for kind, number in history:
        getattr(world, kind)(number)
    assert world.endpoints == dict.fromkeys(STAGES)
