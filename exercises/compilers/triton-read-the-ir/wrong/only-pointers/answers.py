"""What the IR of the kernel says, read with regular expressions; and what it will say, without reading."""

import json
import math
import re

WIDTH = 2  # bytes of a float16


def tile(config, operand):
    """The shape of a tile as the IR writes it: 64x32."""
    names = {"a": ("block_m", "block_k"), "b": ("block_k", "block_n")}[operand]
    return "x".join(str(config[name]) for name in names)


def divisible_arguments(config, ir):
    """TTIR: the arguments of the kernel that are known to be multiples of 16, as named there without %, in order."""
    signature = re.search(r"tt\.func .*", ir["ttir"])[0]
    return re.findall(r"%(\w+): !tt\.ptr<f16> \{tt\.divisibility = 16 : i32", signature)


def load_layouts(config, ir):
    """TTGIR: how the tiles of A and of B are spread over threads where they are loaded."""
    layouts = {}
    for operand in ("a", "b"):
        # tt.load %ptrs …, or ttg.async_copy_global_to_local %ptrs, %buffer …, : tensor<64x32x!tt.ptr<f16>, #blocked1>
        pointers = rf"(?:tt\.load|async_copy_global_to_local) .*tensor<{tile(config, operand)}x!tt\.ptr<f16>, (#\w+)>"
        name = re.search(pointers, ir["ttgir"])[1]
        fields = re.search(rf"^{name} = #ttg\.blocked<{{(.*?)}}>", ir["ttgir"], re.MULTILINE)[1]
        values = {key: json.loads(value) for key, value in re.findall(r"(\w+) = (\[[\d, ]*\])", fields)}
        layouts[operand] = {
            "size_per_thread": values["sizePerThread"],
            "threads_per_warp": values["threadsPerWarp"],
            "warps_per_cta": values["warpsPerCTA"],
            "order": values["order"],
        }
    return layouts


def read_bytes(config, ir):
    """PTX: how many bytes a thread reads from global memory with one instruction; a sorted list without repeats."""
    widths = {int(n, 0) for n in re.findall(r"cp\.async\.c[ag]\.shared\.global[^;]*?\], (0x\w+|\d+)", ir["ptx"])}
    for times, bits in re.findall(r"ld\.global[.:\w]*?(?:\.v(\d))?\.[bfsu](\d+)\b", ir["ptx"]):
        widths.add(int(times or 1) * int(bits) // 8)
    return sorted(widths)


def buffers(config, ir):
    """TTGIR: how many tiles of A there is room for in shared memory, 1 when the loop is not pipelined."""
    found = re.search(rf"local_alloc .*memdesc<(?:(\d+)x)?{tile(config, 'a')}xf16", ir["ttgir"])
    return int(found[1] or 1)


def conversions(config, ir):
    """TTGIR: each ttg.convert_layout in order, as {"in_loop": False, "bytes": 16384}: the size of the whole tile."""
    loop = re.search(r"^( *)[^\n]*scf\.for.*?^\1}", ir["ttgir"], re.MULTILINE | re.DOTALL).span()
    found = []
    for each in re.finditer(r"ttg\.convert_layout .* : tensor<([\dx]+)x[a-z]+(\d+), ", ir["ttgir"]):
        size = math.prod(int(n) for n in each[1].split("x")) * int(each[2]) // 8
        found.append({"in_loop": loop[0] < each.start() < loop[1], "bytes": size})
    return found


def global_reads(config, ir):
    """LLIR: how many instructions that read global memory stand in the kernel; each thread issues every one of them."""
    lines = [line for line in ir["llir"].splitlines() if not line.startswith("declare ")]
    return len(re.findall(r"cp\.async\.c[ag]\.shared\.global|\bld\.global", "\n".join(lines)))


def tensor_core(config, ir):
    """PTX: {"instruction": "wgmma" or "mma", "shape": [m, n, k]}, from the instruction's own name."""
    name, *shape = re.search(r"(wgmma|mma)\.[\w.]*?\.m(\d+)n(\d+)k(\d+)", ir["ptx"]).groups()
    return {"instruction": name, "shape": [int(n) for n in shape]}


def predict_shared(config):
    """The bytes of shared memory that are allocated for the tiles of A and B together."""
    if not config["aligned"]:
        tiles = 1  # loads of 2 bytes cannot be asynchronous copies: no pipeline
    elif config["arch"] == "sm_90":
        tiles = config["stages"]  # wgmma still reads the tile of the step before
    else:
        tiles = config["stages"] - 1  # the tile in use is in registers already
    return tiles * WIDTH * config["block_k"] * (config["block_m"] + config["block_n"])


def predict_dots(config):
    """How many tensor core instructions one warp issues for one step along K."""
    products = config["block_m"] * config["block_n"] * config["block_k"]
    if config["arch"] == "sm_90":
        # four warps issue one together: 64 rows, all columns of the tile, 16 along K
        return products // (64 * config["block_n"] * 16) // (config["warps"] // 4)
    return products // (16 * 8 * 16) // config["warps"]
