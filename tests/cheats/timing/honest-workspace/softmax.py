import torch

workspaces = {}


def softmax(x):
    largest = workspaces.setdefault(x.shape, torch.empty(x.shape[0], 1, device=x.device))
    torch.amax(x, -1, keepdim=True, out=largest)
    raised = (x - largest).exp_()
    return raised / raised.sum(-1, keepdim=True)
