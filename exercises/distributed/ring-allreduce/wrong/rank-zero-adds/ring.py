import torch
import torch.distributed as dist


def all_reduce(tensor):
    rank, n = dist.get_rank(), dist.get_world_size()
    if rank != 0:
        dist.send(tensor, 0)
        dist.recv(tensor, 0)
        return
    share = torch.empty_like(tensor)
    for r in range(1, n):
        dist.recv(share, r)
        tensor.add_(share)
    for r in range(1, n):
        dist.send(tensor, r)
