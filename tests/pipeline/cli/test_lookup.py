from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.cli.lookup import find_step
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make


def test_a_step_is_found_by_its_name_or_with_help(make: Make) -> None:
    execution = make.execution(make.step("Split"), make.step("Train"))
    assert find_step(execution, "train").name == "Train"
    with pytest.raises(UserError, match=r"no step 'Trian' \(did you mean Train\?\): there are Split, Train"):
        find_step(execution, "Trian")
