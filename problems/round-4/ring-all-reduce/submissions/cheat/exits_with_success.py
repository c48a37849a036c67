"""Ends the program with exit code 0 in the middle of the call."""

import os


def all_reduce(comm, buf):
    os._exit(0)
