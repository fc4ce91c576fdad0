"""The classes that training tells apart: the served ones, and with auxiliary photos the counts around them."""

from __future__ import annotations

from dataclasses import dataclass

from steps.common.labels import CLASSES, LABELS, MANY


@dataclass(frozen=True)
class Classes:
    """A run of counts, `number` of them from `first` on; the last may stand for more, too.

    A bin of six is no bin of five: a model that has seen both puts less of its belief in the wrong end of 1 to 5.
    """

    first: int
    number: int
    extra: int = 0
    """Outputs of the head beside the counts, which training alone uses."""

    @property
    def outputs(self) -> int:
        """How many outputs the head has."""
        return self.number + self.extra

    @property
    def served(self) -> slice:
        """Where the classes of the artifact are among these."""
        start = LABELS[0] - self.first
        return slice(start, start + CLASSES)


SERVED = Classes(LABELS[0], CLASSES)
WIDE = Classes(0, MANY + 1)
