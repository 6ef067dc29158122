import torch

def add(x, y): return x.double() + y.double()
def add_into(x, y, out): out.copy_(x + y)
