"""All-reduce over a ring: every rank ends with the sum, and none sends more than twice its tensor."""

import torch  # noqa: F401
import torch.distributed as dist


def all_reduce(tensor):
    """Replace the contiguous `tensor` by the sum of all ranks' tensors, in place; every rank must call it."""
    rank, n = dist.get_rank(), dist.get_world_size()
    right, left = (rank + 1) % n, (rank - 1) % n
    # 1. reduce-scatter: n - 1 times send a chunk to the right, receive one from the left, add it to yours
    # 2. all-gather: n - 1 times send a finished chunk to the right, receive one from the left, keep it
    raise NotImplementedError(f"write all_reduce(): rank {rank} sends to {right} and receives from {left}")
