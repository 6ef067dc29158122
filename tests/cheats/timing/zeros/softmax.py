import torch


def softmax(x):
    return torch.zeros_like(x)
