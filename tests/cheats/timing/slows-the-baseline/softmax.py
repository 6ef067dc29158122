import torch

side = None


def softmax(x):
    global side
    side = side or torch.cuda.Stream()
    out = torch.softmax(x, -1)
    with torch.cuda.stream(side):
        torch.cuda._sleep(20_000_000)
    return out
