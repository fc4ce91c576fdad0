from __future__ import annotations

from pipeline.local.retries import Policy, next_delay


def policies(*bodies: dict[str, object]) -> list[Policy]:
    return [Policy.parse(body) for body in bodies]


def test_the_delay_grows_by_the_rate_until_the_attempts_are_used() -> None:
    given = policies(
        {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 2, "BackoffRate": 3.0, "MaxAttempts": 3}
    )
    assert [next_delay(given, "Step.SERVICE_FAULT", 0) for _ in range(4)] == [2, 6, 18, None]


def test_the_defaults_are_the_services() -> None:
    given = policies({"ExceptionType": ["Step.SERVICE_FAULT"]})
    assert [next_delay(given, "Step.SERVICE_FAULT", 0) for _ in range(6)] == [1, 2, 4, 8, 16, None]


def test_a_policy_with_a_time_ends_by_time_alone() -> None:
    given = policies(
        {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 1, "BackoffRate": 1.0, "ExpireAfterMin": 1}
    )
    assert [next_delay(given, "Step.SERVICE_FAULT", elapsed) for elapsed in (0, 10, 20, 30, 40, 58.9, 59.5)] == [
        1
    ] * 6 + [None]


def test_the_jobs_own_failures_and_others_types_are_not_retried() -> None:
    given = policies({"ExceptionType": ["SageMaker.CAPACITY_ERROR"]}, {"ExceptionType": ["Step.SERVICE_FAULT"]})
    assert next_delay(given, None, 0) is None
    assert next_delay(given, "SageMaker.JOB_INTERNAL_ERROR", 0) is None
    assert next_delay(given, "Step.SERVICE_FAULT", 0) == 1
