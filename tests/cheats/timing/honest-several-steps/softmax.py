import torch


def softmax(x):
    shifted = x - x.amax(-1, keepdim=True)
    shifted.exp_()
    return shifted / shifted.sum(-1, keepdim=True)
