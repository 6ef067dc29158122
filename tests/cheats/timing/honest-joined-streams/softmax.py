import torch

sides = []


def softmax(x):
    if not sides:
        sides.extend([torch.cuda.Stream(), torch.cuda.Stream()])
    main = torch.cuda.current_stream()
    out = torch.empty_like(x)
    half = x.shape[0] // 2
    for side, rows in zip(sides, (slice(0, half), slice(half, None))):
        side.wait_stream(main)
        with torch.cuda.stream(side):
            torch.softmax(x[rows], -1, out=out[rows])
    for side in sides:
        main.wait_stream(side)
    return out
