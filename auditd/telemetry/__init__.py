"""Logs and metrics: two renderings of the same events."""
