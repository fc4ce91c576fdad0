"""Evaluate: how well a model artifact counts, against the labels of photos it has never seen."""
