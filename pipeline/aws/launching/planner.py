"""What is to be done for an execution: a pure function of what is wanted and what there is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from pipeline.aws.launching.models import Found, Plan, Wanted
from pipeline.aws.pipelines import change_to

# What one run of a CI job is called, where one is under way: a job that is run again is another attempt.
_CI_RUN = (("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"), ("CODEBUILD_BUILD_ID",))


def plan(wanted: Wanted, found: Found) -> Plan:
    """Decide what to do: images before functions before the definition that names them, the start at the end."""
    return Plan(
        wanted=wanted,
        images=tuple(dict.fromkeys(image for image in wanted.images if image.uri in found.missing_images)),
        functions=found.changed_functions if wanted.functions else (),
        files=tuple(key for key in wanted.data.files if key in found.missing_files) if wanted.data else (),
        change=change_to(found.current, wanted.definition, wanted.role),
        version=found.current.version if found.current else None,
        warnings=(*_quota_warnings(wanted, found), *_company(found)),
    )


def _quota_warnings(wanted: Wanted, found: Found) -> Iterator[str]:
    for need in wanted.needs:
        applied = found.quotas.get(need.quota)
        if applied is not None and applied < need.count:
            yield (
                f"the quota '{need.quota}' is {applied:g} and {need.count} are needed: "
                "ask for more under Service Quotas, Amazon SageMaker, or choose another type"
            )


def _company(found: Found) -> Iterator[str]:
    if found.running:
        many = "s" * (len(found.running) > 1)
        yield (
            f"this pipeline has {len(found.running)} execution{many} running, each with the definition of its start: "
            f"{', '.join(found.running)}"
        )


def request_token(wanted: Wanted, version: int | None, environment: Mapping[str, str], chance: str) -> str:
    """Return the ClientRequestToken of a start: 64 characters that stand for what is started, and by which run.

    One run of a CI job starts an execution once, even if the command in it is repeated after the network broke. A job
    that somebody runs again is another attempt and starts a new execution, whose finished steps come from the cache.
    Outside of CI each command is a run of its own.

    Args:
        wanted: what is started.
        version: of the pipeline.
        environment: of this process.
        chance: a text that no other command has; used outside of CI.
    """
    runs = ([environment.get(name, "") for name in names] for names in _CI_RUN)
    run = next((values for values in runs if all(values)), [chance])
    what = [wanted.pipeline, version, wanted.definition, dict(wanted.parameters), wanted.name, run]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
