"""Jobs and servers in real containers, by Docker or Podman."""
