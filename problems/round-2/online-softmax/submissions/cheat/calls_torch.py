# The library has a softmax already.
import torch
import triton


def softmax(x):
    return torch.softmax(x, dim=-1)
