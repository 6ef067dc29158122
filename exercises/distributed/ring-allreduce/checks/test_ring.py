import torch

from mlsys_path.checking.testing import assert_close, fail


def exact_values(shape, dtype):
    """Small whole numbers: their sums are exact in every dtype, in whatever order they are added."""
    return torch.randint(-1000, 1001, shape).to(dtype)


def reduce(learner, ranks, cases):
    """Results and sends, by rank, of all_reduce() of each case; cases[c][r] is what rank r brings."""
    by_rank = [[case[rank].clone() for case in cases] for rank in range(ranks)]
    answers = learner.ranks(ranks, "drive", "run", learner.per_rank(by_rank))
    return [tensors for tensors, _ in answers], [sends for _, sends in answers]


def check_sums(learner, ranks, shapes, dtype=torch.float32):
    cases = [[exact_values(shape, dtype) for _ in range(ranks)] for shape in shapes]
    results, _ = reduce(learner, ranks, cases)
    for c, case in enumerate(cases):
        expected = torch.stack(case).sum(0).to(dtype)
        for rank in range(ranks):
            what = f"rank {rank} of {ranks} after all_reduce() of {list(case[0].shape)} elements"
            assert_close(results[rank][c], expected, rtol=0, atol=0, what=what)


def random_size(low, high):
    return int(torch.randint(low, high, ()))


def test_two_ranks(learner):
    check_sums(learner, 2, [(2,), (2 * random_size(2, 50),)])


def test_more_ranks(learner):
    for ranks in (3, 4):
        check_sums(learner, ranks, [(ranks,), (ranks * random_size(2, 50),)])


def test_uneven_sizes(learner):
    for ranks in (2, 3, 4):
        rest = random_size(1, ranks)
        check_sums(
            learner, ranks, [(ranks + rest,), (ranks * random_size(100, 900) + rest,), (1,), (ranks - 1,)]
        )


def test_one_rank_and_nothing(learner):
    check_sums(learner, 1, [(random_size(1, 50),), (0,)])
    check_sums(learner, random_size(2, 5), [(0,), (random_size(1, 50),)])


def test_shapes_and_dtypes(learner):
    ranks = random_size(2, 5)
    for dtype in (torch.int64, torch.float64):
        check_sums(learner, ranks, [(3, 5), (random_size(2, 9), 1, random_size(2, 9))], dtype)


def test_every_rank_the_same_bits(learner):
    for ranks in (3, 4):
        size = random_size(300, 500)
        # numbers of very different size: their float32 sum depends on the order of the additions
        case = [torch.randn(size) * 10.0 ** torch.randint(-4, 5, (size,)) for _ in range(ranks)]
        results, _ = reduce(learner, ranks, [case, case])
        assert_close(
            results[0][0], torch.stack(case).double().sum(0).float(), rtol=1e-4, atol=1e-1, what="the sum"
        )
        for rank in range(ranks):
            assert_close(
                results[rank][0], results[0][0], rtol=0, atol=0, what=f"rank {rank}'s result against rank 0's"
            )
            assert_close(
                results[rank][1], results[rank][0], rtol=0, atol=0, what=f"rank {rank}'s second result"
            )


def test_sends_only_to_the_right(learner, measure):
    for ranks in (2, 3, 4):
        size = ranks * random_size(1000, 2000)
        _, sends = reduce(learner, ranks, [[torch.randn(size) for _ in range(ranks)]])
        least = 2 * (ranks - 1) * size * 4 // ranks
        for rank, (sent,) in enumerate(sends):
            others = sorted({to for to, _ in sent} - {(rank + 1) % ranks})
            if others:
                fail(f"rank {rank} of {ranks} sends to rank {others[0]}, and not only to its right neighbour")
            total = sum(count for _, count in sent)
            if total != least:
                fail(
                    f"rank {rank} of {ranks} sends {total} bytes to reduce {4 * size}: "
                    f"{total / least:.2f} × the ring's 2·(n-1)/n·S",
                    got=total,
                    expected=least,
                )
    measure.value("bytes sent per byte of the tensor, on 4 ranks", total / (4 * size))


def test_traffic(learner, measure):
    ranks, size = 4, 4 * random_size(200_000, 250_000)
    before = learner.traffic()
    reduce(learner, ranks, [])
    connecting = learner.traffic() - before
    case = [exact_values((size,), torch.float32) for _ in range(ranks)]
    results, _ = reduce(learner, ranks, [case])
    moved = learner.traffic() - before - 2 * connecting
    for rank in range(ranks):
        assert_close(results[rank][0], sum(case), rtol=0, atol=0, what=f"rank {rank} of {ranks}")
    least = 2 * (ranks - 1) * size * 4
    measure.value("bytes on the wire, against the optimum", moved / least)
    if not 0.99 * least < moved < 1.05 * least:
        fail(
            f"{ranks} ranks reduced {4 * size} bytes each, and {moved} bytes crossed the network: "
            f"{moved / least:.2f} × the ring's 2·(n-1)·S",
            got=moved,
            expected=least,
        )
