import json
import math
import re

import torch

from mlsys_path.checking.testing import assert_close, fail

# what the runs of this file are about: drawn once, so that each kernel is compiled once
DRAWN = []


def one_of(*values):
    return values[int(torch.randint(len(values), ()))]


def draw(arch, aligned):
    """A configuration whose tiles of A, B and C differ in shape, and that fits."""
    while True:
        config = {
            "block_m": one_of(64, 128, 256) if aligned else one_of(64, 128),
            "block_n": one_of(32, 64, 128, 256) if aligned else one_of(32, 64, 128),
            "block_k": one_of(32, 64),
            "warps": one_of(4, 8),
            "stages": one_of(2, 3, 4),
        }
        m, n, k, warps = (config[name] for name in ("block_m", "block_n", "block_k", "warps"))
        registers = m * n // (32 * warps)  # of a thread, for the sums
        if len({m, k}) == len({n, k}) == 2 and m >= 16 * warps and 8 <= registers <= 128:
            return {**config, "arch": arch, "aligned": aligned}


def configs():
    if not DRAWN:
        DRAWN.extend((draw("sm_90", True), draw("sm_80", True), draw("sm_90", False)))
    return DRAWN


def blocks(config):
    return {name: value for name, value in config.items() if name not in ("arch", "aligned")}


def told(config):
    """A configuration in words."""
    m, n, k = (config[f"block_{axis}"] for axis in "mnk")
    sizes = "sizes that are multiples of 16" if config["aligned"] else "odd sizes"
    return f"{config['arch']}, tiles {m} × {n} × {k}, {config['warps']} warps, {config['stages']} stages, {sizes}"


def operands(config):
    if config["aligned"]:
        m, n, k = (16 * int(torch.randint(8, 20, ())) for _ in range(3))
    else:
        m, n, k = (2 * int(torch.randint(60, 150, ())) + 1 for _ in range(3))
    return torch.randn(m, k).half(), torch.randn(k, n).half()


def compiled(learner, config):
    a, b = operands(config)
    found = learner.compile(
        "matmul", a, b, blocks(config), target=f"cuda:{config['arch'][3:]}", kernel="matmul_kernel"
    )
    kernel = found[0]
    if (kernel.warps, kernel.stages) != (config["warps"], config["stages"]):
        fail(
            "matmul() must give num_warps and num_stages of its configuration to the launch",
            got=[kernel.warps, kernel.stages],
            expected=[config["warps"], config["stages"]],
        )
    return kernel


def loop_of(ttgir):
    """Where the loop over K begins and ends."""
    loops = list(re.finditer(r"^( *)[^\n]*scf\.for.*?^\1}", ttgir, re.MULTILINE | re.DOTALL))
    if len(loops) != 1:
        fail(
            f"the questions are about one loop, the one over K: the kernel's TTGIR has {len(loops)} of them, side by side"
        )
    return loops[0].span()


def line_at(text, position):
    """The line around a position, without where it comes from."""
    first, last = text.rfind("\n", 0, position) + 1, text.find("\n", position)
    return re.sub(r" loc\(.*?\)+", "", text[first : last if last >= 0 else None]).strip()


# --- the facts: each a value, and the line of the IR where it stands ---------------------------------------


def tile(config, operand):
    first, second = {"a": "mk", "b": "kn"}[operand]
    return f"{config['block_' + first]}x{config['block_' + second]}"


def arguments_fact(config, kernel):
    found = re.search(r"tt\.func [^\n]*", kernel.ttir)
    names = re.findall(r"%(\w+): (?:(?!%\w+: ).)*?tt\.divisibility = 16", found[0])
    return names, found[0]


def layout_of(config, kernel, operand):
    pattern = rf"(?:tt\.load|async_copy_global_to_local) [^\n]*tensor<{tile(config, operand)}x!tt\.ptr<f16>, (#\w+)>"
    found = re.search(pattern, kernel.ttgir)
    if not found:
        fail(
            f"the kernel's TTGIR has no load of a {tile(config, operand)} tile of {operand.upper()} through pointers: tiles "
            "of A are [BLOCK_M, BLOCK_K], tiles of B [BLOCK_K, BLOCK_N]"
        )
    definition = re.search(rf"^{found[1]} = #ttg\.blocked<{{([^\n]*)}}>", kernel.ttgir, re.MULTILINE)
    values = {key: json.loads(text) for key, text in re.findall(r"(\w+) = (\[[\d, ]*\])", definition[1])}
    names = {
        "size_per_thread": "sizePerThread",
        "threads_per_warp": "threadsPerWarp",
        "warps_per_cta": "warpsPerCTA",
        "order": "order",
    }
    return {mine: values[theirs] for mine, theirs in names.items()}, line_at(kernel.ttgir, found.start())


def layouts_fact(config, kernel):
    (a, line), (b, _) = (layout_of(config, kernel, operand) for operand in ("a", "b"))
    return {"a": a, "b": b}, line


def read_bytes_fact(config, kernel):
    widths = {}
    for found in re.finditer(r"cp\.async\.c[ag]\.shared\.global[^;\n]*?\], *(0x[0-9a-f]+|\d+)", kernel.ptx):
        widths.setdefault(int(found[1], 0), found.start())
    for found in re.finditer(r"ld\.global([.:\w]*)", kernel.ptx):
        vector, bits = re.search(r"\.v(\d)", found[1]), re.search(r"\.[bfsu](\d+)$", found[1])
        widths.setdefault((int(vector[1]) if vector else 1) * int(bits[1]) // 8, found.start())
    if not widths:
        fail(
            "the kernel's PTX reads nothing from global memory with ld.global or cp.async: load through pointers"
        )
    return sorted(widths), line_at(kernel.ptx, widths[min(widths)])


def allocations(config, kernel, operand):
    """(number of tiles, position) of each allocation for an operand's tiles."""
    pattern = rf"ttg\.local_alloc[^\n]*memdesc<(?:(\d+)x)?{tile(config, operand)}xf16"
    return [(int(found[1] or 1), found.start()) for found in re.finditer(pattern, kernel.ttgir)]


def buffers_fact(config, kernel):
    found = allocations(config, kernel, "a")
    if not found:
        fail("the kernel's TTGIR allocates no shared memory for tiles of A: is there a tl.dot of them?")
    return sum(n for n, _ in found), line_at(kernel.ttgir, found[0][1])


def conversions_fact(config, kernel):
    begin, end = loop_of(kernel.ttgir)
    found, line = [], "none is there"
    for each in re.finditer(
        r"ttg\.convert_layout [^\n]* : tensor<([\dx]+)x(!tt\.ptr|[a-z]+)(\d*)", kernel.ttgir
    ):
        bits = int(each[3] or 64)
        size = math.prod(int(n) for n in each[1].split("x")) * bits // 8
        found.append({"in_loop": begin < each.start() < end, "bytes": size})
        line = line_at(kernel.ttgir, each.start())
    return found, line


def global_reads_fact(config, kernel):
    lines = [line for line in kernel.llir.splitlines() if not line.startswith("declare ")]
    found = re.findall(r"\b(?:cp\.async\.c[ag]\.shared\.global|ld\.global)\b", "\n".join(lines))
    if not found:
        fail(
            "the kernel's LLIR reads nothing from global memory with ld.global or cp.async: load through pointers"
        )
    first = next(line.strip() for line in lines if found[0] in line)
    return len(found), f"{first}\nand all others of its kind"


def tensor_core_fact(config, kernel):
    found = re.search(r"\b(wgmma|mma)\.[\w.:]*?\.m(\d+)n(\d+)k(\d+)[\w.]*", kernel.ptx)
    if not found:
        fail("the kernel's PTX has no tensor core instruction: multiply with tl.dot, float16 by float16")
    return {"instruction": found[1], "shape": [int(n) for n in found.groups()[1:]]}, found[0]


def shared_fact(config, kernel):
    sizes = []
    for operand in ("a", "b"):
        m, n = (int(size) for size in tile(config, operand).split("x"))
        sizes.append(2 * m * n * sum(number for number, _ in allocations(config, kernel, operand)))
    lines = [line_at(kernel.ttgir, at) for o in ("a", "b") for _, at in allocations(config, kernel, o)]
    return sum(sizes), "\n".join(lines)


def dots_fact(config, kernel):
    found = list(re.finditer(r"\b(?:wgmma\.mma_async|mma)\.sync[\w.:]*", kernel.ptx))
    begin, end = loop_of(kernel.ttgir)
    dots = re.findall(r"\b(?:tt\.dot|warp_group_dot) ", kernel.ttgir)
    inside = re.findall(r"\b(?:tt\.dot|warp_group_dot) ", kernel.ttgir[begin:end])
    if len(dots) != 1 or len(inside) != 1:
        fail(f"the question is about one tl.dot, in the loop: the kernel's TTGIR has {len(dots)}")
    return len(found), f"{found[0][0]}, and as many more of its kind as the loop's body has"


def ask(learner, question, fact, with_ir=True):
    """Compare an answer with what stands in the IR, for each configuration that was drawn."""
    for config in configs():
        kernel = compiled(learner, config)
        expected, line = fact(config, kernel)
        args = [dict(config)]
        if with_ir:
            args.append({stage: getattr(kernel, stage) for stage in ("ttir", "ttgir", "llir", "ptx")})
        got = plain(getattr(learner.module("answers"), question)(*args))
        if type(got) is not type(expected) or got != expected:
            # the value stays untold: it is to be read
            fail(f"{question}() is not what the IR says, for {told(config)}; look at\n{line[:600]}", got=got)


def plain(value):
    """Tuples as lists, all the way down: which of the two an answer is made of does not matter."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


# --- level correct: Triton's interpreter ------------------------------------------------------------------


def test_product(learner):
    for _ in range(3):
        config = {
            "block_m": 32,
            "block_n": one_of(16, 64),
            "block_k": one_of(16, 32),
            "warps": 4,
            "stages": 2,
        }
        m, n, k = (int(torch.randint(1, 90, ())) for _ in range(3))
        a, b = torch.randn(m, k).half(), torch.randn(n, k).half().T
        got = learner.matmul(a, b, config)
        learner.demand_launch("matmul_kernel")
        what = f"matmul() of {m} × {k} and {k} × {n} in tiles of {config['block_m']} × {config['block_n']}"
        assert_close(got, (a.double() @ b.double()).half(), rtol=2e-3, atol=2e-3, what=what)


# --- level compiles: the questions ------------------------------------------------------------------------


def test_compiles(learner, measure):
    for config in configs():
        kernel = compiled(learner, config)
        measure.value(f"registers per thread, {told(config)}", kernel.registers)
        measure.value(f"shared memory, {told(config)}", kernel.shared, unit="B")
        layouts_fact(config, kernel)
        loop_of(kernel.ttgir)


def test_divisible_arguments(learner):
    ask(learner, "divisible_arguments", arguments_fact)


def test_load_layouts(learner):
    ask(learner, "load_layouts", layouts_fact)


def test_read_bytes(learner):
    ask(learner, "read_bytes", read_bytes_fact)


def test_buffers(learner):
    ask(learner, "buffers", buffers_fact)


def test_conversions(learner):
    ask(learner, "conversions", conversions_fact)


def test_global_reads(learner):
    ask(learner, "global_reads", global_reads_fact)


def test_tensor_core(learner):
    ask(learner, "tensor_core", tensor_core_fact)


def test_predict_shared(learner):
    ask(learner, "predict_shared", shared_fact, with_ir=False)


def test_predict_dots(learner):
    ask(learner, "predict_dots", dots_fact, with_ir=False)


# --- level gpu ---------------------------------------------------------------------------------------------


def test_gpu_product(learner):
    for config in (draw("", True), draw("", False)):
        if config["stages"] == 4:
            config["stages"] = 3  # to fit into any GPU's shared memory
        a, b = operands(config)
        got = learner.matmul(a, b, blocks(config))
        assert_close(
            got, (a.double() @ b.double()).half(), rtol=2e-3, atol=2e-2, what=f"matmul() for {told(config)}"
        )
