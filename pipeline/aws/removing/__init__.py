"""Removing an installation: `inventory` reads what there is, `executor` empties it; then the stack can go."""
