import threading

import torch

thread = threading.Thread(target=lambda: torch.zeros(10).sum())
thread.start()
thread.join()


def softmax(x):
    return torch.softmax(x, -1)
