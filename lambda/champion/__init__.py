"""Finds the version that a new model has to beat."""
