"""`drift`: production's answers beside the evaluation's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption
from pipeline.errors import UserError

HEAD = ("group", "answers", "evaluation", "production", "shift")
_SHARE = "Share"


def drift(
    *,
    profile: OnlyProfileOption = None,
    hours: Annotated[int, typer.Option("--hours", min=1, max=168, help="How far back answers are looked at.")] = 24,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Compare what production answered of late with the evaluation.

    Calls the drift function, which reads the captured answers (setting deploy.capture_percent), compares the mix of
    counts and the confidence, and puts its figures where the drift alarm looks, as its schedule does every day on AWS.
    The exit code is 1 where one has drifted.
    """
    from pipeline.aws import functions
    from pipeline.cli.endpoint_lookup import find_groups
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    groups = find_groups(session, target, profile, None)
    if not groups:
        raise UserError("there is no version yet: `bincount run` registers one")
    found = [functions.drift(session, group, hours) for group in groups]
    if json:
        import json as json_

        typer.echo(json_.dumps(found, indent=2))
    else:
        _show(found)
    raise typer.Exit(1 if any(one.get("Verdict") == "Drifted" for one in found) else 0)


def _show(found: list[dict[str, Any]]) -> None:
    from pipeline.cli.tables import print_table

    try:
        lines, tables = [in_words(one) for one in found], [list(rows(one)) for one in found]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"the drift function answers with something else: {str(found)[:200]}") from None
    for line, table in zip(lines, tables, strict=True):
        typer.echo(line)
        if table:
            print_table(HEAD, table, "", spare=("group",))


def in_words(one: Mapping[str, Any]) -> str:
    """Return the verdict on a group in one line."""
    verdict = f"{one['ModelPackageGroupName']}: {one['Verdict']}: {one['Reason']}"
    if "Answers" not in one:
        return verdict
    beside = {"OfOtherVersions": "of other versions", "Unreadable": "unreadable"}
    others = [f"{one[name]} {words}" for name, words in beside.items() if one[name]]
    counted = [
        f"{one['Answers']} answers of version {one['Version']}",
        *others,
        *([] if one["Complete"] else ["a sample"]),
    ]
    return f"{verdict} ({', '.join(counted)})"


def rows(one: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a group's table; none where nothing was compared."""
    if "ClassMixPsi" not in one:
        return
    group = one["ModelPackageGroupName"]
    for label in sorted(name.removeprefix(_SHARE) for name in one if name.startswith(_SHARE)):
        shares = one[f"Baseline{_SHARE}{label}"], one[f"{_SHARE}{label}"]
        yield group, f"say {label}", *(f"{share:.1%}" for share in shares), ""
    yield group, "class mix", "", "", f"{one['ClassMixPsi']:.3f}"
    means = one["BaselineMeanConfidence"], one["MeanConfidence"]
    yield group, "confidence", *(f"{mean:.3f}" for mean in means), f"{one['ConfidencePsi']:.3f}"
    yield group, "limit", "", "", f"{one['PsiLimit']:.3f}"
