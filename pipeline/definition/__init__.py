"""The arguments of each step of the DAG, one module a kind of job."""
