"""Rounds, problems, submissions and verdicts."""
