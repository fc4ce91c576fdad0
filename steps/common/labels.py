"""The classes: the number of items in a bin, 1 to 5."""

LABELS: tuple[int, ...] = (1, 2, 3, 4, 5)
CLASS_LABELS: tuple[str, ...] = tuple(str(label) for label in LABELS)
CLASSES = len(LABELS)
SPLITS: tuple[str, ...] = ("train", "validation", "test")

AUXILIARY = "auxiliary"
"""Photos with another number of items, of bins that train: more to learn from, never scored."""
MANY = 9
"""The largest count that training tells apart; more are counted as this."""
AUXILIARY_LABELS: tuple[int, ...] = tuple(count for count in range(MANY + 1) if count not in LABELS)
