"""Managers that were killed at the worst moments, and callers at the same time."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.endpoints import launch, lock
from pipeline.local.endpoints.lock import Hold
from pipeline.local.home import Home


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make managers die before they have done anything; `undo` gives them back their lives."""
    own = pytest.MonkeyPatch()
    own.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    return own


def test_a_creation_is_taken_up_again(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    hosting.sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v1"))
    assert hosting.sagemaker.describe_endpoint(EndpointName="bins")["EndpointStatus"] == "Creating"
    dead.undo()
    assert hosting.settled()["EndpointStatus"] == "InService"


def test_a_list_takes_transitions_up_too(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    hosting.sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v1"))
    dead.undo()
    hosting.sagemaker.list_endpoints()
    hosting.join()
    assert hosting.document()["EndpointStatus"] == "InService"


def test_a_deletion_is_taken_up_again(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    dead.undo()
    hosting.create(hosting.config("v1"))
    dead.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    hosting.sagemaker.delete_endpoint(EndpointName="bins")
    dead.undo()
    hosting.sagemaker.describe_endpoint(EndpointName="bins")
    hosting.join()
    assert (hosting.processes(), hosting.store.find("endpoint")) == ([], [])


def test_traffic_of_a_killed_update_goes_back_until_the_new_servers_are_there(
    hosting: Any, dead: pytest.MonkeyPatch
) -> None:
    dead.undo()
    hosting.create(hosting.config("v1"))
    (old,) = hosting.document()["_servers"]
    dead.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v2"))
    gone = {**old, "config": "v2", "pid": 2**22 + 1, "weight": 1.0}  # a new server that died with its manager
    hosting.store.update("endpoint", "bins", _servers=[{**old, "weight": 0.0}, gone])
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v1"
    dead.undo()
    assert hosting.settled()["EndpointConfigName"] == "v2"
    assert len(hosting.processes()) == 1


def test_an_update_whose_traffic_has_shifted_is_finished(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    dead.undo()
    hosting.create(hosting.config("v1"))
    hosting.create(hosting.config("v2"), "other")
    (old,), (new,) = hosting.document()["_servers"], hosting.document("other")["_servers"]
    dead.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2")
    pending = {**hosting.document()["_pending"], "attempts": 7, "shifted": True}
    hosting.store.update("endpoint", "bins", _pending=pending, _servers=[new], _retiring=[old])
    dead.undo()
    assert hosting.settled()["EndpointConfigName"] == "v2"
    assert [process.pid for process in hosting.processes()] == [new["pid"]]


def test_an_update_that_kills_its_managers_is_rolled_back(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    dead.undo()
    hosting.create(hosting.config("v1"))
    dead.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v2"))
    hosting.store.update("endpoint", "bins", _pending={**hosting.document()["_pending"], "attempts": 3})
    dead.undo()
    found = hosting.settled()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "v1")
    assert "killed 3 times" in found["FailureReason"]


def test_a_roll_back_goes_on_where_it_was(hosting: Any, dead: pytest.MonkeyPatch) -> None:
    dead.undo()
    hosting.create(hosting.config("v1"))
    dead.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v2"))
    pending = {**hosting.document()["_pending"], "attempts": 1, "undoing": "Alarms in ALARM state: x"}
    hosting.store.update("endpoint", "bins", EndpointStatus="RollingBack", _pending=pending)
    dead.undo()
    found = hosting.settled()
    assert (found["EndpointConfigName"], found["FailureReason"]) == ("v1", "Alarms in ALARM state: x")


def test_of_callers_at_the_same_time_one_creates_and_one_updates(hosting: Any) -> None:
    hosting.config("v1")
    told = _at_once(lambda: hosting.sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="v1"))
    assert sorted(told) == ["Cannot create already existing endpoint"] * 4 + ["done"]
    hosting.settled()
    hosting.config("v2")
    told = _at_once(lambda: hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2"))
    assert sorted(told) == ["Cannot update in-progress endpoint"] * 4 + ["done"]
    hosting.settled()
    assert len(hosting.processes()) == 1
    told = _at_once(lambda: hosting.sagemaker.delete_endpoint(EndpointName="bins"))
    assert told.count("done") == 1
    hosting.join()
    assert (hosting.processes(), hosting.store.find("endpoint")) == ([], [])


def _at_once(call: Any) -> list[str]:
    told: list[str] = []
    barrier = threading.Barrier(5)

    def one() -> None:
        barrier.wait()
        try:
            call()
            told.append("done")
        except ClientError as error:
            told.append(error.response["Error"]["Message"].partition(' "')[0])

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_a_hold_passes_to_who_inherits_it_and_ends_with_the_last(tmp_path: Any) -> None:
    import os

    home = Home(tmp_path)
    first = lock.take(home, "bins")
    assert first is not None
    heir = Hold(os.dup(first.file))
    first.release()
    assert lock.take(home, "bins") is None
    heir.release()
    again = lock.take(home, "bins")
    assert again is not None
    lock.remove(home, "bins")
    other = lock.take(home, "bins")  # of another file: what was removed holds nothing any more
    assert other is not None
    again.release()
    other.release()
