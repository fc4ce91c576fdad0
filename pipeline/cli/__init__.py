"""The command line: one module a verb group. What is heavy is imported inside the verbs, so that help is quick."""
