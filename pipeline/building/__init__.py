"""The container images: which there are, how an engine builds them here, and how they get to ECR."""
