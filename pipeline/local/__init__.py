"""The local engine: interpreter of the definition, job runners, local AWS."""
