import torch


def generate_input(m, n, k, seed):
    gen = torch.Generator(device="cuda").manual_seed(seed)
    a = torch.empty(m, k, device="cuda", dtype=torch.float16).normal_(generator=gen)
    b = torch.empty(k, n, device="cuda", dtype=torch.float16).normal_(generator=gen)
    return a, b
