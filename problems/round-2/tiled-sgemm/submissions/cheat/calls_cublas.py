"""Lets the library do it."""

import torch


def sgemm(a, b):
    return torch.mm(a, b)
