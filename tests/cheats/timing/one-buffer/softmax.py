import torch

buffers = {}


def softmax(x):
    out = buffers.setdefault(x.shape, torch.empty_like(x))
    return torch.softmax(x, -1, out=out)
