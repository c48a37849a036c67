# The library's attention.
import torch
import triton


def attention(q, k, v, causal):
    o = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)
    return o, torch.empty(q.shape[:3], device=q.device, dtype=torch.float32)
