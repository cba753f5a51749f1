"""Measurements: what it costs, and what it survives.  Nothing of the gateway imports this."""
