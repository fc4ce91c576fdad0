"""The classes: the number of items in a bin, 1 to 5."""

LABELS: tuple[int, ...] = (1, 2, 3, 4, 5)
CLASS_LABELS: tuple[str, ...] = tuple(str(label) for label in LABELS)
CLASSES = len(LABELS)
SPLITS: tuple[str, ...] = ("train", "validation", "test")
