"""Removing what a deployment left: `inventory` reads what there is, `planner` decides, `executor` removes."""
