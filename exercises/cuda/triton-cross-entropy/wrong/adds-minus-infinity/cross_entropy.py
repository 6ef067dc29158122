"""Cross-entropy over a huge vocabulary in one Triton kernel: the gradient takes the place of the logits."""

import torch
import triton
import triton.language as tl

BLOCK = 16384  # elements of a row at a time; 32 warps own 16 of them a thread
LOWEST = tl.constexpr(-1e38)  # the largest of nothing; minus infinity would lead to -inf - -inf


@triton.jit
def cross_entropy_kernel(
    logits_ptr, targets_ptr, losses_ptr, count_ptr, row_stride, classes, ignored, smoothing,
    SMOOTH: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row = tl.program_id(0)
    logits_ptr += row.to(tl.int64) * row_stride  # may pass 2**31
    lane = tl.arange(0, BLOCK)
    target = tl.load(targets_ptr + row)
    if target == ignored:
        # whatever the row holds, it is not read
        for first in tl.range(0, classes, BLOCK):
            tl.store(logits_ptr + first + lane, tl.zeros([BLOCK], tl.float32), mask=first + lane < classes)
        tl.store(losses_ptr + row, 0.0)
        return
    at_target = tl.load(logits_ptr + target).to(tl.float32)  # before the gradient is written over it

    # first pass: each lane keeps the largest of its elements, and the sum of exp(x - largest)
    largest = tl.full([BLOCK], LOWEST, tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    plain = tl.zeros([BLOCK], tl.float32)
    for first in tl.range(0, classes, BLOCK):
        inside = first + lane < classes
        x = tl.load(logits_ptr + first + lane, mask=inside, other=-float("inf")).to(tl.float32)
        larger = tl.maximum(largest, x)
        total = total * tl.exp(largest - larger) + tl.exp(x - larger)
        largest = larger
        if SMOOTH:
            plain += x
    # log Σ exp(x) is top + log_sum, which are never added: at 10,000 float32 goes in steps of 0.001
    top = tl.max(largest, 0)
    log_sum = tl.log(tl.sum(total * tl.exp(largest - top), 0))

    # -Σ q log p with q = 1 - smoothing at the target and smoothing / classes everywhere
    loss, everywhere = log_sum - (at_target - top), 0.0
    if SMOOTH:
        everywhere = smoothing / classes
        loss += smoothing * (at_target - tl.sum(plain, 0) / classes)
    tl.store(losses_ptr + row, loss)

    # second pass, mostly from the L2 cache: p - q, divided by the number of tokens that count
    share = 1 / tl.load(count_ptr).to(tl.float32)
    for first in tl.range(0, classes, BLOCK):
        inside = first + lane < classes
        x = tl.load(logits_ptr + first + lane, mask=inside, other=-float("inf")).to(tl.float32)
        gradient = tl.exp(x - top - log_sum) - everywhere
        gradient = tl.where(first + lane == target, gradient - (1 - smoothing), gradient)
        # nobody reads the gradient soon: it should not push logits out of the cache
        tl.store(logits_ptr + first + lane, gradient * share, mask=inside, eviction_policy="evict_first")


def cross_entropy_(logits, targets, ignore_index=-100, label_smoothing=0.0):
    """The mean loss of the tokens that count, a float32 scalar; `logits` hold its gradient afterwards."""
    tokens, classes = logits.shape
    count = (targets != ignore_index).sum().clamp(min=1)
    losses = torch.empty(tokens, dtype=torch.float32, device=logits.device)
    if tokens:
        block = min(BLOCK, triton.next_power_of_2(classes))
        cross_entropy_kernel[(tokens,)](
            logits, targets, losses, count, logits.stride(0), classes, ignore_index, label_smoothing,
            SMOOTH=label_smoothing > 0, BLOCK=block, num_warps=max(4, block // 512),
        )  # fmt: skip
    return losses.sum() / count
