"""Puts versions of the model behind endpoints: staging when they are registered, production when they are approved."""
