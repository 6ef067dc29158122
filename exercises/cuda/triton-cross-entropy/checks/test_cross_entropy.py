import re

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsys_path.checking.testing import assert_close, fail

VOCABULARY = 128_256
IGNORED = -100
HALVES = (torch.float16, torch.bfloat16)
# of the gradient: relative, and absolute in units of 1 / (number of tokens that count); the interpreter cuts
# bfloat16 off instead of rounding
TOLERANCE = {torch.float32: (1e-4, 1e-7), torch.float16: (2e-3, 1e-6), torch.bfloat16: (1.6e-2, 1e-9)}
MARGIN = 64


def between(low, high):
    return int(torch.randint(low, high + 1, ()))


def odd(low, high):
    return 2 * between(low // 2, high // 2) + 1


def randn(tokens, classes, dtype=torch.float32, seed=None):
    generator = torch.Generator()
    generator.manual_seed(int(torch.randint(1 << 62, ())) if seed is None else seed)
    return (2 * torch.randn(tokens, classes, generator=generator)).to(dtype)


def draw(tokens, classes):
    return torch.randint(classes, (tokens,)) if classes else torch.zeros(tokens, dtype=torch.int64)


def reference(logits, targets, ignored=IGNORED, smoothing=0.0):
    """(loss, gradient) in float64; rows that do not count have a gradient of 0, whatever they hold."""
    gradient = torch.zeros(logits.shape, dtype=torch.float64)
    counts = targets != ignored
    n = int(counts.sum())
    if not n:
        return torch.tensor(0.0, dtype=torch.float64), gradient
    leaf = logits[counts].double().requires_grad_()
    chosen = leaf.gather(1, targets[counts][:, None])[:, 0]
    losses = leaf.logsumexp(1) - (1 - smoothing) * chosen
    if smoothing:
        losses = losses - smoothing * leaf.mean(1)
    loss = losses.sum() / n
    gradient[counts] = torch.autograd.grad(loss, leaf)[0]
    return loss.detach(), gradient


def near(got, logits, targets, what="", **options):
    """Compares loss and gradient with the reference."""
    loss, gradient = reference(logits, targets, **options)
    tokens, classes = logits.shape
    of = f"of {tokens} tokens and {classes} classes{what}"
    assert_close(got[0], loss.float(), rtol=1e-5, atol=1e-5, what=f"the loss {of}")
    rtol, atol = TOLERANCE[logits.dtype]
    n = max(1, int((targets != options.get("ignored", IGNORED)).sum()))
    # what the type itself cannot hold: half of its smallest number
    atol = max(atol / n, 6e-8 if logits.dtype is torch.float16 else 0.0)
    assert_close(got[1], gradient.to(logits.dtype), rtol=rtol, atol=atol, what=f"the logits afterwards, {of}")


def check(learner, logits, targets, what="", **options):
    names = {"ignored": "ignore_index", "smoothing": "label_smoothing"}
    given_options = {names[name]: value for name, value in options.items()}
    got = learner.harness("drive").step(logits, targets, **given_options)
    near(got, logits, targets, what, **options)


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_loss(learner):
    for tokens, classes in ((5, 64), (between(2, 4), odd(100, 900))):
        logits, targets = randn(tokens, classes), draw(tokens, classes)
        loss = learner.cross_entropy_(logits, targets)
        expected = reference(logits, targets)[0].float()
        assert_close(
            loss, expected, rtol=1e-5, atol=1e-5, what=f"the loss of {tokens} tokens and {classes} classes"
        )


def test_gradient(learner):
    for tokens, classes in ((5, 64), (between(2, 4), odd(100, 900))):
        check(learner, randn(tokens, classes), draw(tokens, classes))


def test_whole_vocabulary(learner):
    classes = VOCABULARY + odd(0, 100)
    logits = randn(2, classes)
    logits[0] += torch.linspace(0, 20, classes)  # the largest comes last
    check(learner, logits, draw(2, classes))


def test_large_logits(learner):
    classes = odd(3000, 5000)
    logits = randn(5, classes)
    logits[0] *= 100
    logits[1] += 1e4
    logits[2] -= 1e4
    logits[3] *= 1e35
    targets = draw(5, classes)
    targets[3] = logits[3].argmax()
    check(learner, logits, targets, " from 1e4 to 1e35")


def test_impossible_classes(learner):
    classes = odd(40_000, 60_000)
    logits, targets = randn(3, classes), draw(3, classes)
    logits[0, ::2] = -torch.inf
    logits[1, :35_000] = -torch.inf  # whole blocks of nothing
    logits[2, 3000:] = -torch.inf
    targets[0], targets[1], targets[2] = 1, classes - 1, 5
    check(learner, logits, targets, ", some of them with a logit of minus infinity")


def test_ignored_tokens(learner):
    tokens, classes = between(6, 9), odd(30, 90)
    logits, targets = randn(tokens, classes), draw(tokens, classes)
    targets[between(0, 2)] = targets[between(3, 5)] = IGNORED
    check(learner, logits, targets, ", two of the tokens ignored")
    ignored = between(0, classes - 1)
    targets = draw(tokens, classes)
    targets[1] = ignored
    check(learner, logits, targets, f", ignore_index = {ignored}", ignored=ignored)


def test_ignored_rows_hold_anything(learner):
    tokens, classes = between(4, 6), odd(30, 90)
    logits, targets = randn(tokens, classes), draw(tokens, classes)
    targets[0] = targets[2] = IGNORED
    logits[0], logits[2, 3] = torch.nan, torch.inf
    check(learner, logits, targets, ", with NaN in an ignored row")


def test_nothing_counts(learner):
    for tokens in (between(2, 5), 0):
        targets = torch.full((tokens,), IGNORED)
        check(learner, randn(tokens, odd(20, 60)), targets, ", none of which counts")
    check(learner, randn(1, 1), torch.tensor([0]))


def test_smoothing(learner):
    for tokens, classes in ((between(3, 5), odd(30, 90)), (2, odd(20_000, 30_000))):
        smoothing = between(5, 50) / 100
        targets = draw(tokens, classes)
        targets[0] = IGNORED
        check(learner, randn(tokens, classes), targets, f", smoothed by {smoothing}", smoothing=smoothing)


def test_dtypes(learner):
    for dtype in HALVES:
        tokens, classes = between(2, 3), odd(3000, 9000)
        check(learner, randn(tokens, classes, dtype), draw(tokens, classes), f", {dtype}")


def test_padded_rows(learner):
    tokens, classes = between(3, 6), odd(40, 90)
    step, start = classes + between(1, 30), MARGIN + between(0, 9)
    before, targets = randn(1, start + tokens * step + MARGIN)[0], draw(tokens, classes)
    targets[1] = IGNORED
    loss, after = learner.harness("drive").on_a_slice(before, targets, [tokens, classes], start, step)
    slices = [torch.as_strided(one, (tokens, classes), (step, 1), start) for one in (before, after)]
    near([loss, slices[1]], slices[0], targets, f" in rows of {step}")
    touched = before != after
    torch.as_strided(touched, (tokens, classes), (step, 1), start)[:] = False
    if touched.any():
        fail(
            f"{int(touched.sum())} elements outside of the logits have changed: each row has {classes} classes, and the "
            f"next begins {step} elements after it"
        )


def check_far_rows(learner):
    logits, targets = randn(3, odd(30, 90), torch.bfloat16), None
    targets = draw(*logits.shape)
    distance = 2**30 + 16 * between(1, 100)
    got = learner.harness("drive").far_rows(logits, targets, distance)
    near(got, logits, targets, f" in rows that lie {distance} elements apart")


def test_far_rows(learner):
    check_far_rows(learner)


def test_no_second_matrix(learner):
    tokens, classes = between(4, 6), odd(3000, 5000)
    logits = randn(tokens, classes, torch.bfloat16)
    used = learner.harness("drive").allocated(logits, draw(tokens, classes))
    most = 2 * classes
    if used > most:
        fail(
            f"cross_entropy_() allocates {used} bytes for {tokens} × {classes} bfloat16 logits, which take "
            f"{logits.nbytes}: a few numbers for each token must do",
            got=used,
            expected=f"at most {most}",
        )


def test_two_reads_one_write(learner):
    tokens, classes = between(4, 6), odd(300, 900)
    logits, targets = randn(tokens, classes), draw(tokens, classes)
    targets[1] = IGNORED
    loads, stores = learner.harness("drive").moved(logits, targets)
    for row, (loaded, stored) in enumerate(zip(loads, stores, strict=True)):
        counts = int(targets[row]) != IGNORED
        most = 2 * classes + 2 if counts else 2
        kind = f"token {row}" if counts else f"token {row}, which is ignored,"
        if loaded > most:
            times = "twice" if counts else "not at all"
            fail(
                f"the row of {kind} is read {loaded / classes:.2f} times, {times} is enough",
                got=loaded,
                expected=f"at most {most} elements",
            )
        if stored > classes:
            fail(
                f"the row of {kind} is written {stored / classes:.2f} times, once is enough",
                got=stored,
                expected=f"{classes} elements",
            )


@settings(max_examples=12)
@given(
    tokens=st.integers(0, 4),
    classes=st.integers(1, 300),
    dtype=st.sampled_from((torch.float32, *HALVES)),
    smoothing=st.sampled_from((0.0, 0.1)),
    ignore=st.integers(0, 3),
    seed=st.integers(0, 1 << 60),
)
def test_any_shape(learner, tokens, classes, dtype, smoothing, ignore, seed):
    logits, targets = randn(tokens, classes, dtype, seed), draw(tokens, classes)
    targets[:ignore] = IGNORED
    check(learner, logits, targets, smoothing=smoothing)


# --- level compiles: Triton's compiler, with no GPU -------------------------------------------------------


def compiled(learner, tokens, classes, dtype=torch.bfloat16, target="cuda:90", **options):
    logits, targets = randn(tokens, classes, dtype), draw(tokens, classes)
    kernels = learner.compile("cross_entropy_", logits, targets, target=target, **options)
    mine = [kernel for kernel in kernels if kernel.name == "cross_entropy_kernel"]
    if len(mine) != 1:
        fail(
            "cross_entropy_() must launch cross_entropy_kernel, once",
            got=[kernel.name for kernel in kernels],
            expected=["cross_entropy_kernel"],
        )
    for kernel in kernels:
        if "tt.atomic" in kernel.ttir:
            fail(
                f"{kernel.name} adds with atomics: their order, and so the bits of the loss, is left to chance. "
                "Store a loss for each token and add these up"
            )
    return mine[0]


def test_one_kernel(learner):
    compiled(learner, 3, odd(100, 900))


def test_wide_accesses(learner, measure):
    kernel = compiled(learner, 2, VOCABULARY)
    measure.value("registers per thread", kernel.registers)
    if kernel.spills:
        threads = int((re.findall(r"\.(?:reqntid|maxntid) (\d+)", kernel.ptx) or ["0"])[0])
        fail(
            f"{kernel.spills} bytes are spilled to memory: a block is too much for the registers of {threads} threads"
        )
    for access, fewest, others in (("ld", 2, 4), ("st", 1, 2)):
        found = re.findall(rf"{access}\.global[.:\w]*", kernel.ptx)
        wide = [text for text in found if re.search(r"\.(v4\.b32|v2\.b64)$", text)]
        # what is left is one number each: target, its logit, the count, the loss
        if len(wide) < fewest or len(found) - len(wide) > others:
            fail(
                f"rows of bfloat16 should be moved 16 bytes at a time: `{access}.global.v4.b32`",
                got=sorted(set(found)),
            )


def test_every_kind_compiles(learner):
    compiled(learner, 3, odd(100, 900), torch.float16, "cuda:80")
    compiled(learner, 3, odd(100, 900), torch.float32, "cuda:90", label_smoothing=0.1)


# --- level gpu: the same behaviours on the device, where size costs nothing -------------------------------


def test_gpu_shapes(learner):
    for tokens, classes in ((61, VOCABULARY), (between(1000, 3000), odd(300, 900)), (1, 1), (0, 9)):
        targets = draw(tokens, classes)
        targets[::5] = IGNORED
        check(learner, randn(tokens, classes), targets)


def test_gpu_dtypes_and_smoothing(learner):
    for dtype in HALVES:
        for smoothing in (0.0, 0.1):
            tokens, classes = between(20, 40), odd(30_000, 60_000)
            check(learner, randn(tokens, classes, dtype), draw(tokens, classes), smoothing=smoothing)


def test_gpu_large_and_impossible(learner):
    test_large_logits(learner)
    test_impossible_classes(learner)
    test_ignored_rows_hold_anything(learner)


def test_gpu_rows_apart(learner):
    test_padded_rows(learner)
    check_far_rows(learner)


# --- level fast -------------------------------------------------------------------------------------------


def exactly(logits, targets):
    """(loss, gradient) in float32, rounded once."""
    probabilities = torch.softmax(logits.float(), 1)
    at_target = probabilities.gather(1, targets[:, None])
    loss = -at_target.log().mean()
    probabilities.scatter_add_(1, targets[:, None], torch.full_like(at_target, -1.0))
    return loss, probabilities.div_(len(targets)).to(logits.dtype)


def torch_step(logits, targets):
    """torch's own way to the same two results."""
    leaf = logits.detach().requires_grad_()
    loss = torch.nn.functional.cross_entropy(leaf, targets)
    return loss.detach(), torch.autograd.grad(loss, leaf)[0]


def test_fast(learner, measure):
    tokens = 2048
    size = 2 * tokens * VOCABULARY
    timing = measure.kernel(
        f"cross-entropy {tokens}×{VOCABULARY} bfloat16",
        learner,
        "cross_entropy_",
        inputs=lambda: (
            (2 * torch.randn(tokens, VOCABULARY)).to(torch.bfloat16),
            torch.randint(VOCABULARY, (tokens,)),
        ),
        reference=exactly,
        baseline=torch_step,
        inplace=(0,),
        rtol=1.6e-2,
        atol=1e-14,  # most elements of the gradient are below 1e-8
        bytes=2 * size,
        flops=8 * tokens * VOCABULARY,
        dtype="bfloat16",
        at_least=1.3,
        star=2.0,
    )
    peaks = [size + peak for peak in (timing.baseline_peak_bytes, timing.peak_bytes)]
    ratio = peaks[0] / peaks[1]
    measure.value("peak memory, torch's / yours, logits included", ratio)
    if timing.baseline_peak_bytes and ratio < 2:
        fail(
            f"at its peak this takes {peaks[1] >> 20} MiB, logits included, and torch {peaks[0] >> 20} MiB: "
            "at most half of torch's is asked for"
        )
