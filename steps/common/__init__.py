"""What every step shares: the job contract, the dataset format, pre-processing, metrics."""
