# Operators of torch.
import torch
import triton


def fused_add_rmsnorm(x, residual, weight, eps):
    h = x + residual
    return torch.nn.functional.rms_norm(h, h.shape[-1:], weight, eps), h
