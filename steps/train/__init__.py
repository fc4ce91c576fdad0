"""The Train step: one entry point for tuning trials, one host, and DDP over several."""
