"""Decides what a submission is worth. Knows no Django, no sandbox and no problem package."""
