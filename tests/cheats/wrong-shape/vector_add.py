import torch

def add(x, y): return (x + y)[None]
def add_into(x, y, out): out.copy_(x + y)
