"""Counts the items in a photo that an event names or holds."""
