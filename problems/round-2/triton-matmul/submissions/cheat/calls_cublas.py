# The vendor's kernel instead of one of ours.
import torch
import triton


def matmul(a, b):
    return torch.mm(a, b)
