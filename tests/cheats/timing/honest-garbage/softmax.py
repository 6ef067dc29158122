import gc
import time

import torch


def softmax(x):
    began = time.perf_counter()
    out = torch.softmax(x, -1)
    gc.collect(0)
    assert time.perf_counter() >= began
    return out
