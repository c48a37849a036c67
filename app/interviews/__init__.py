"""Timed mock interviews: set-up, the server's clock, roles and links, debrief."""
