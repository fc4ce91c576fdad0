"""The parts of `pipeline.validate`: grammar, requests, references."""
