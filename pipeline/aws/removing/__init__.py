"""Removing an installation: `inventory` reads what there is, `executor` removes it, the stack last."""
