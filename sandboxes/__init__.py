"""Runs a command under limits. Knows no Django and no grader."""
