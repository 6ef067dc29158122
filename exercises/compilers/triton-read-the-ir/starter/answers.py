"""What the IR of your kernel says. Each question is asked for several configurations that are drawn at each check.

config: "block_m", "block_n", "block_k", "warps", "stages", "arch" ("sm_90"), and "aligned": whether M, N and K, and with
        them all strides but those of 1, are multiples of 16
ir:     "ttir", "ttgir", "llir", "ptx": the text of each stage of your own kernel in this configuration

`mlsys-path ir triton-read-the-ir --stage ttgir` shows such a text. Answer by reading it with code, or by what you know.
"""


def divisible_arguments(config, ir):
    """TTIR: the arguments of the kernel that are known to be multiples of 16, as named there without %, in order."""
    raise NotImplementedError("find `tt.divisibility = 16` in the arguments of the function, in ir['ttir']")


def load_layouts(config, ir):
    """TTGIR: how the tiles of A and of B are spread over threads where they are loaded.

    {"a": {"size_per_thread": [1, 8], "threads_per_warp": [8, 4], "warps_per_cta": [4, 1], "order": [1, 0]}, "b": {…}}
    """
    raise NotImplementedError("the type of the pointers of a load names a layout: see its definition on top")


def read_bytes(config, ir):
    """PTX: how many bytes a thread reads from global memory with one instruction; a sorted list without repeats."""
    raise NotImplementedError("find ld.global and cp.async in ir['ptx']")


def buffers(config, ir):
    """TTGIR: how many tiles of A there is room for in shared memory, 1 when the loop is not pipelined."""
    raise NotImplementedError("find the ttg.local_alloc of A's tiles in ir['ttgir']")


def conversions(config, ir):
    """TTGIR: each ttg.convert_layout in order, as {"in_loop": False, "bytes": 16384}: the size of the whole tile."""
    raise NotImplementedError("a loop is scf.for … { … }; tensor<64x128xf16, #mma> has 64 · 128 · 2 bytes")


def global_reads(config, ir):
    """LLIR: how many instructions that read global memory stand in the kernel; each thread issues every one of them."""
    raise NotImplementedError("they are inline assembly in ir['llir']: ld.global, or cp.async from global memory")


def tensor_core(config, ir):
    """PTX: {"instruction": "wgmma" or "mma", "shape": [m, n, k]}, from the instruction's own name."""
    raise NotImplementedError("find wgmma.mma_async or mma.sync in ir['ptx']")


# The last two are predictions: there is no IR to look at.


def predict_shared(config):
    """The bytes of shared memory that are allocated for the tiles of A and B together."""
    raise NotImplementedError("how many tiles of each, on which architecture, and how large is one?")


def predict_dots(config):
    """How many tensor core instructions one warp issues for one step along K."""
    raise NotImplementedError("the products of one step, divided by those that one instruction does, and by who shares")
