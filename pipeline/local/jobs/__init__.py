"""Jobs: what the service does around a container, done here around processes."""
