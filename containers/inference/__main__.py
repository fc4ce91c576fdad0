"""Run the server as the service calls the image: `python3 -m containers.inference serve`."""

from __future__ import annotations

import os
import sys

from containers.inference.server import serve
from containers.inference.settings import SettingsError, read_settings


def main(arguments: list[str]) -> int:
    """Serve; return the exit code."""
    if arguments != ["serve"]:
        print("error: the only command is serve: python3 -m containers.inference serve", file=sys.stderr)
        return 2
    try:
        return serve(read_settings(os.environ))
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
