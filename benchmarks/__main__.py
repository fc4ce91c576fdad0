"""Run benchmarks and write what they measured into docs/benchmarks.md.

python -m benchmarks                  # all of them
python -m benchmarks loading split    # these, and the parts of the page that are theirs
BINCOUNT_PHOTOS=path/to/photos python -m benchmarks      # on real photos, else on drawn ones

Each runs in a process of its own, so that none finds what another left in memory and one that dies takes no other with
it: the page then says that it failed, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.document import merge, part
from benchmarks.figures import plain
from benchmarks.machine import ROOT, commit, day, machine
from benchmarks.running import benchmarks, run

PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: Sequence[str]) -> int:
    """Run the named benchmarks, or all; return 1 if any failed, 2 for a name that there is not."""
    known = benchmarks()
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print(f"no benchmark {unknown[0]}: there are {', '.join(known)}", file=sys.stderr)
        return 2
    names = list(arguments) or list(known)
    taken = f"{day()}, {commit()}, {machine()}"
    failed = 0
    for number, name in enumerate(names, start=1):
        print(f"[{number}/{len(names)}] {name}", flush=True)
        result = run(name, known[name])
        print(f"failed: {result.failure}" if result.failure else plain(result.figures).rstrip(), flush=True)
        failed += bool(result.failure)
        # Written after each: hours of others are not lost with the last one.
        PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), name, part(result, taken)), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
