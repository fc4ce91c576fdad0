"""From a definition to an execution on AWS: what is to be done first is planned and shown, then done in order."""
