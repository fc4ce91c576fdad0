"""What an execution on AWS can cost, told before it is started, and a question where that is much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings


def confirm(settings: Settings, parameters: Mapping[str, str], *, dry_run: bool, yes: bool) -> None:
    """Say what an execution can cost, and go on only where that is below the limit or the user agrees.

    Args:
        settings: of its definition; `cost.ask_above_usd` is the limit.
        parameters: what it is to be started with.
        dry_run: nothing is going to be started: nobody is asked.
        yes: the user has agreed beforehand.

    Raises:
        UserError: nobody can be asked, or a count of machines is none.
    """
    from pipeline.cli.asking import ask
    from pipeline.cost.estimate import estimate, exceeds
    from pipeline.cost.usd import money

    estimated = estimate(settings, parameters)
    typer.echo(f"cost: {estimated.summary} (`bincount cost --profile {settings.profile}`)", err=True)
    if not exceeds(estimated, settings):
        return
    above = f"more than {money(settings.cost.ask_above_usd)} (cost.ask_above_usd)"
    typer.echo(f"warning: that may be {above}", err=True)
    if not dry_run:
        ask("start it?", yes)
