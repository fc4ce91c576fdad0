"""The patterns of botocore's models, which are Java's, for Python."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Unicode classes in the models' patterns, as Python's `re` can have them: the ASCII members, and one private
# character that stands for every other member (`_fold` puts it there).
_CLASSES = {
    "L": r"A-Za-z",
    "M": "",
    "N": "0-9",
    "P": r"!\"#%&'()*,\-./:;?@\[\\\]_{}",
    "S": r"$+<=>\^`|~",
    "Z": " ",
}
_STAND_INS = {name: chr(0xE000 + index) for index, name in enumerate(_CLASSES)}
_OTHER = chr(0xE000 + len(_CLASSES))


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text fits a pattern of the models, Unicode classes included."""
    compiled, folds = _compile(pattern)
    return compiled.fullmatch(_fold(text) if folds else text) is not None


@cache
def _compile(pattern: str) -> tuple[re.Pattern[str], bool]:
    """Return the pattern for Python, and whether texts must be folded for it."""
    # A count on the end of the text, as two of the models have it, counts nothing.
    translated = re.sub(r"\$\{1,\d+\}", "", pattern).replace(r"\p{Alnum}", "a-zA-Z0-9")
    folded = re.sub(r"\\p\{([LMNPSZ])\}", lambda found: _CLASSES[found[1]] + _STAND_INS[found[1]], translated)
    try:
        return re.compile(folded), folded != translated
    except re.error:  # Java's, of which there are four, none in a member that is used here
        return re.compile("(?s:.*)"), False


def _fold(text: str) -> str:
    return "".join(c if c.isascii() else _STAND_INS.get(unicodedata.category(c)[0], _OTHER) for c in text)
