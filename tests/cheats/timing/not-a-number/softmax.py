import torch


def softmax(x):
    return torch.full_like(x, float("nan"))
