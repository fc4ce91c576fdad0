"""What runs inside the jobs: one folder a step."""
