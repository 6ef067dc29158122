"""Runs all_reduce() on one rank of a gloo process group, and reports what it sent."""

import contextlib
import os
import time
from datetime import timedelta

import torch
import torch.distributed as dist

COLLECTIVES = ("allreduce", "allreduce_coalesced", "allgather", "_allgather_base", "allgather_coalesced",
               "broadcast", "reduce", "reduce_scatter", "_reduce_scatter_base", "gather", "scatter",
               "alltoall", "alltoall_base", "barrier", "monitored_barrier")  # fmt: skip
PATIENCE = 5  # seconds until an operation that waits for another rank is given up


@contextlib.contextmanager
def recorded_sends():
    """The list that every send of this process is noted in as (to, bytes); collectives are refused."""
    group, sent = dist.ProcessGroup, []
    send_on = group.send
    originals = {name: vars(group)[name] for name in ("send", *COLLECTIVES) if name in vars(group)}

    def send(self, tensors, to, tag):
        sent.append((to, sum(t.numel() * t.element_size() for t in tensors)))
        return send_on(self, tensors, to, tag)

    def refused(*_args, **_kwargs):
        raise RuntimeError("you are here to build a collective: use send, recv, isend and irecv only")

    for name in originals:
        setattr(group, name, send if name == "send" else refused)
    try:
        yield sent
    finally:
        for name, original in originals.items():
            setattr(group, name, original)


@contextlib.contextmanager
def explained_timeouts():
    """A deadlock ends with the one exception that says so, whichever rank notices it first."""
    try:
        yield
    except RuntimeError as error:
        if "Timed out" in str(error):
            raise TimeoutError(
                f"waited {PATIENCE} s for another rank: all are in send, or all in recv, or two disagree on who talks to whom"
            ) from error
        if "Connection closed by peer" in str(error):
            time.sleep(1)  # the rank that left has more to tell, and is heard first
        raise


def run(rank, tensors):
    """all_reduce() on one tensor after the other; what they hold then, and what was sent for each."""
    torch.set_num_threads(1)  # the ranks share the cores of one machine
    patience = timedelta(seconds=PATIENCE)
    dist.init_process_group("gloo", rank=rank, world_size=int(os.environ["WORLD_SIZE"]), timeout=patience)
    dist.barrier()
    from ring import all_reduce

    sends = []
    with explained_timeouts(), recorded_sends() as sent:
        for tensor in tensors:
            all_reduce(tensor)
            sends.append(list(sent))
            sent.clear()
    dist.barrier()  # nobody leaves while another is still talking
    dist.destroy_process_group()
    return [tensors, sends]
