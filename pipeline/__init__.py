"""The DAG as code, the command line, and the places that run the DAG."""
