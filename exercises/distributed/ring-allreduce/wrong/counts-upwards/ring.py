"""All-reduce over a ring: every rank ends with the sum, and none sends more than twice its tensor."""

import torch
import torch.distributed as dist


def exchange(outgoing, incoming):
    """Send `outgoing` to the right neighbour while `incoming` is filled by the left one."""
    rank, n = dist.get_rank(), dist.get_world_size()
    sending = dist.isend(outgoing, (rank + 1) % n)  # not send: if all waited for a reader, none would read
    dist.recv(incoming, (rank - 1) % n)
    sending.wait()


def all_reduce(tensor):
    """Replace the contiguous `tensor` by the sum of all ranks' tensors, in place; every rank must call it."""
    rank, n = dist.get_rank(), dist.get_world_size()
    chunks = tensor.view(-1).tensor_split(n)  # n views whose sizes differ by at most one; some may be empty

    # Reduce-scatter. A partial sum of chunk c starts at rank c, goes right and grows by each rank's share.
    # After n - 1 steps rank r holds the whole sum of chunk r + 1.
    for step in range(n - 1):
        partial = torch.empty_like(chunks[(rank + step + 1) % n])
        exchange(chunks[(rank + step) % n], partial)
        chunks[(rank + step + 1) % n].add_(partial)

    # All-gather. Each finished chunk goes right until all ranks have it.
    for step in range(n - 1):
        exchange(chunks[(rank + 1 + step) % n], chunks[(rank + step) % n])
