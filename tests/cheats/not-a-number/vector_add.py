import torch

def add_into(x, y, out): out.fill_(float("nan") if out.is_floating_point() else 0)
def add(x, y):
    out = torch.empty_like(x); add_into(x, y, out); return out
