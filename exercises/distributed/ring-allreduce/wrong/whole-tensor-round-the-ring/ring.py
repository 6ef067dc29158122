import torch
import torch.distributed as dist


def all_reduce(tensor):
    rank, n = dist.get_rank(), dist.get_world_size()
    passing, incoming = tensor.clone(), torch.empty_like(tensor)
    for _ in range(n - 1):
        sending = dist.isend(passing, (rank + 1) % n)
        dist.recv(incoming, (rank - 1) % n)
        sending.wait()
        tensor.add_(incoming)
        passing, incoming = incoming, passing
