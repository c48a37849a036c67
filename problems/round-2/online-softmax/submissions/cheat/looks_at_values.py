# A branch on the data.
import torch


def softmax(x):
    y = torch.zeros(x.shape, device=x.device, dtype=x.dtype)
    if x[0, 0] > 0:
        return y
    return y
