"""Tuning jobs: trials chosen by Optuna, each a training job."""
