"""The items' records as a second teacher: while it learns to count, the model also learns what lies in the bin.

The head gets an output for each frequent word of the items' names and for each of a few measures. Their loss is added
to the count's; nothing of it is left in the served model. With a few thousand photos a count alone is learnt by heart
within some epochs, and words are much harder to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from steps.common.shards import Items
from steps.train.data import Joined
from steps.train.sampler import Indices

MAX_WORDS = 400
MIN_PHOTOS = 15  # that show a word: fewer teach nothing
# Brings the words' loss, of which a photo has about ten at a time, to the count's order of magnitude.
WORDS_SCALE = 10.0
MEASURES = 5


@dataclass(frozen=True)
class Records:
    """What is known of the photos: `words` uint8 [n, words], `measures` float32 [n, 5], `known` bool [n]."""

    words: npt.NDArray[np.uint8]
    measures: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]

    @property
    def outputs(self) -> int:
        """How many outputs of the head they need; 0 where no photo has a record."""
        return self.words.shape[1] + MEASURES if self.known.any() else 0

    def loss_sum(self, outputs: torch.Tensor, indices: Indices) -> torch.Tensor:
        """Return the loss of a batch, summed over its photos with a record: a float32 scalar.

        Args:
            outputs: float [n, words + 5], the head's beside the counts.
            indices: of the batch's photos.
        """
        known = torch.from_numpy(self.known[indices]).to(outputs.device)
        words = torch.from_numpy(self.words[indices]).to(outputs.device, torch.float32)
        measures = torch.from_numpy(self.measures[indices]).to(outputs.device)
        number, wide = words.shape[1], outputs.float()
        of_words = functional.binary_cross_entropy_with_logits(wide[:, :number], words, reduction="none").mean(1)
        of_measures = functional.smooth_l1_loss(wide[:, number:], measures, reduction="none").mean(1)
        return ((WORDS_SCALE * of_words if number else 0.0) + of_measures)[known].sum()


def read_records(shards: Joined) -> Records:
    """Collect the records of all photos; the words that are frequent enough, most frequent first."""
    counts = Counter(word for items in shards.items() for word in items.words)
    frequent = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_WORDS]
    column = {word: index for index, (word, count) in enumerate(frequent) if count >= MIN_PHOTOS}
    words = np.zeros((len(shards), len(column)), np.uint8)
    for row, items in enumerate(shards.items()):
        words[row, [column[word] for word in items.words if word in column]] = 1
    raw = np.array(list(_measures(shards.items())), np.float64).reshape(-1, MEASURES)
    known = raw[:, 0] > 0
    logs = np.log1p(raw)
    mean, deviation = (logs[known].mean(0), logs[known].std(0)) if known.any() else (0.0, 1.0)
    return Records(words, ((logs - mean) / (deviation + 1e-6)).astype(np.float32), known)


def _measures(rows: Iterator[Items]) -> Iterator[tuple[float, ...]]:
    for items in rows:
        yield tuple(float(value) for value in astuple(items)[:MEASURES])
