import torch


def add(x, y):
    out = torch.zeros_like(x)
    out.view(torch.int32).fill_(0x7FA5A5A5)
    return out


def add_into(x, y, out):
    out.view(torch.int32).fill_(0x7FA5A5A5)
