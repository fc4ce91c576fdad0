"""The endpoint's server."""
