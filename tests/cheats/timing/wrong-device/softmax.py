import torch


def softmax(x):
    return torch.empty(x.shape, device="meta")
