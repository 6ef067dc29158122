"""The failures that people meet, each a small record: what shows it, its cause and its cure.

The first record that fits is taken, so those that say more stand before those that say less. Numbers are issues of
triton-lang/triton in which people report it.
"""

from __future__ import annotations

from mlsys_path.language import N_
from mlsys_path.triton_build.failure import Known

KNOWN: tuple[Known, ...] = (
    Known(
        "no-space",
        N_("the disk is full"),
        (N_("free some space, and `--resume`: what was built is kept"),),
        (r"No space left on device", r"Disk quota exceeded", r"IO failure on output stream"),
        lambda facts: facts.disk_free_mb < 16,
    ),
    Known(
        "stalled",
        N_("nothing has come for too long: a download hangs, or a server does not answer"),
        (
            N_("`--resume` tries again from here"),
            N_("offline, give what is missing by path: --source DIR, --llvm system"),
        ),
        (r"(?:Read timed out|ReadTimeoutError|timed out after|RPC failed; curl (?:18|28|56))",),
        lambda facts: facts.outcome is not None and facts.outcome.stalled,
        (6919, 5069, 9722, 4414),
    ),
    Known(
        "out-of-memory",
        N_("a compiler or linker was ended for want of memory"),
        (
            N_("`--resume --jobs {fewer}` takes fewer at once; what is compiled is kept"),
            N_("lld links in a tenth of the memory of ld; close what else takes memory"),
        ),
        (
            r"[Kk]illed signal terminated program (?P<program>\w+)",
            r"unable to execute command: Killed",
            r"terminated with signal 9",
            r"virtual memory exhausted",
            r"out of memory allocating",
            r"LLVM ERROR: out of memory",
            r"std::bad_alloc",
        ),
        lambda facts: facts.out_of_memory,
        (4249, 11123),
    ),
    Known(
        "llvm-twice",
        N_("two copies of LLVM are in one process: its shared library, and static components of it"),
        (
            N_("`--resume --from llvm` makes every component resolve to the one shared library"),
            N_("an LLVM of your own must be built without LLVM_LINK_LLVM_DYLIB"),
        ),
        (
            r"Option '(?P<option>[^']+)' registered more than once",
            r"inconsistency in registered CommandLine options",
        ),
    ),
    Known(
        "glibc",
        N_(
            "a program or library was built for a newer C or C++ library than this system's: {symbol} is missing"
        ),
        (
            N_(
                "TRITON_LLVM_SYSTEM_SUFFIX=almalinux-x64 (or -arm64) takes the build for older systems, then `--resume --from llvm`"
            ),
            N_("or --llvm system, or --llvm source"),
        ),
        (r"version [`'](?P<symbol>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found",),
        issues=(3397, 7088, 6747, 7430, 8391),
    ),
    Known(
        "string-abi",
        N_(
            "two C++ libraries disagree about std::string: LLVM and Triton were built by compilers with different ABIs"
        ),
        (N_("build both with one compiler: --llvm source, or the compiler of your LLVM in CC and CXX"),),
        (r"undefined (?:reference to|symbol:?) .*(?:__cxx11|\[abi:cxx11\])",),
        issues=(5445,),
    ),
    Known(
        "wrong-python",
        N_(
            "the library was built for another Python than the one that loads it, or this Python is not supported"
        ),
        (N_("run mlsys-path with a Python that the commit takes, then `--resume --from pybind11`"),),
        (
            r"undefined symbol: _?Py[A-Z_]\w+",
            r"requires a different Python",
            r"Could NOT find Python3? \(missing",
            r"fatal error: '?Python\.h'?",
            r"Python version mismatch|compiled for Python",
        ),
        issues=(3782, 42),
    ),
    Known(
        "no-library",
        N_("the package has no native module: it was never built, or for another Python"),
        (N_("`--resume --from libtriton`"),),
        (r"No module named '[\w.]*_C[\w.]*'", r"cannot import name 'lib\w+' from '[\w.]+_C'"),
        issues=(4272, 4995),
    ),
    Known(
        "undefined-symbol",
        N_(
            "the library asks for {symbol}, which nothing that it was linked with has: another LLVM, or one without a target"
        ),
        (N_("`--resume --from libtriton` after removing the build folder, with one LLVM alone installed"),),
        (r"undefined symbol: (?P<symbol>\S+)",),
        issues=(3782, 4995),
    ),
    Known(
        "two-tritons",
        N_("another {module} than the one that was built is found first: {place}"),
        (
            N_(
                "remove it from that environment (`pip uninstall {module}`), or use the one in this build's folder"
            ),
        ),
        (r"mlsys-path: (?P<module>\w+) was imported from (?P<place>\S+)",),
    ),
    Known(
        "no-ptxas",
        N_("no ptxas is found, so PTX cannot become a cubin"),
        (
            N_(
                "set TRITON_PTXAS_PATH (and TRITON_PTXAS_BLACKWELL_PATH) to one of CUDA 12 or newer, then `--resume`"
            ),
            N_("or install CUDA's compiler: nvidia-cuda-nvcc by pip, or the distribution's package"),
        ),
        (r"Cannot find ptxas", r"[Nn]o such file or directory: '?\S*ptxas"),
        issues=(4224,),
    ),
    Known(
        "old-ptxas",
        N_("ptxas is too old for the target {gpu}"),
        (N_("set TRITON_PTXAS_PATH to a newer one: sm_90 needs CUDA 12, sm_100 needs 12.8"),),
        (
            r"Value '(?P<gpu>sm_\w+)' is not defined for option 'gpu-name'",
            r"Unsupported \.version (?P<gpu>[\d.]+)",
        ),
        issues=(8539,),
    ),
    Known(
        "no-gpu",
        N_("a program asked for a GPU, and there is none"),
        (N_("without a GPU, kernels run under the interpreter and compile for a named target"),),
        (r"0 active drivers",),
        issues=(4898,),
    ),
    Known(
        "numpy",
        N_("this Triton's interpreter is wrong with numpy 2: NaN, or errors of about 4"),
        (N_("pip install 'numpy<2' in the environment of mlsys-path, or take a newer commit"),),
        (r"mlsys-path: the interpreter is wrong with numpy 2",),
    ),
    Known(
        "mlir-config",
        N_("CMake finds no MLIR: the LLVM at hand is incomplete, or its folder was not given"),
        (N_("`--resume --from llvm`; an installed LLVM needs its MLIR package of the same version"),),
        (
            r"Could not find a (?:package configuration|configuration) file (?:provided by|for package) \"(?:MLIR|LLVM|LLD)\"",
            r"MLIRConfig\.cmake",
            r"MLIR_FOUND (?:to )?FALSE",
        ),
        issues=(2034, 1264, 1096, 1191),
    ),
    Known(
        "llvm-targets",
        N_("this LLVM lacks {component}: it was built without a target that is needed"),
        (N_("take --llvm prebuilt or --llvm source; both NVPTX and AMDGPU are needed, whichever you use"),),
        (
            r"cannot find -l(?P<component>(?:LLVM|MLIR|lld)\w+)",
            r"unable to find library -l(?P<component>(?:LLVM|MLIR|lld)\w+)",
            r"(?:links to|target):?\s+\"?(?P<component>(?:LLVM|MLIR|lld)\w+)\"?,?\s+but the target was not found",
            r"No targets? (?:named|found).*(?P<component>LLVM\w+)",
        ),
        issues=(4527, 5521),
    ),
    Known(
        "library-missing",
        N_("the development package of {library} is missing"),
        (N_("install it: on Debian libzstd-dev, zlib1g-dev, libxml2-dev or libtinfo-dev; then `--resume`"),),
        (
            r"Could NOT find (?P<library>zstd|ZLIB|LibXml2|Terminfo|FFI)\b",
            r"cannot find -l(?P<library>zstd|z|xml2|tinfo)\b",
            r"unable to find library -l(?P<library>zstd|z|xml2|tinfo)\b",
            r"(?P<library>zstd|ZLIB|LibXml2)::\w+[\"']?,?\s*(?:but )?the\s+target\s+was\s+not\s+found",
            r"fatal error: '?(?P<library>zstd|zlib|libxml/\w+)\.h'?",
        ),
        issues=(688, 6726),
    ),
    Known(
        "binding",
        N_("the binding library is missing, or of another version than the commit asks for"),
        (N_("`--resume --from pybind11` installs what the commit pins"),),
        (
            r"Could not find a package configuration file provided by \"(?:pybind11|nanobind)\"",
            r"No module named '(?:pybind11|nanobind)'",
            r"fatal error: '?(?:pybind11|nanobind)/\w+\.h'?",
            r"pybind11.*(?:version mismatch|requires (?:Python|version))",
            r"error: .*(?:'|‘)(?:pybind11|py|nanobind|nb)(?:'|’| )?(?:::|has no member)",
            r"error: ‘\w+’ is not a member of ‘(?:pybind11|py|nanobind|nb)’",
            r"error: no (?:member|type) named '\w+' in namespace '(?:pybind11|py|nanobind|nb)'",
        ),
        issues=(3539,),
    ),
    Known(
        "cupti",
        N_(
            "headers of CUPTI or CUDA are missing: they belong to the profiler, which a compiler does not need"
        ),
        (N_("TRITON_BUILD_PROTON=OFF leaves it out; else TRITON_CUPTI_INCLUDE_PATH names their folder"),),
        (r"fatal error: '?(?:cupti\w*|cuda|nvtx\w*)\.h'?",),
        issues=(5449, 5492, 6023, 6216, 4224),
    ),
    Known(
        "warnings",
        N_(
            "a warning counts as an error, with a compiler that knows more warnings than the commit's authors had"
        ),
        (N_("CXX=g++ CC=gcc takes another compiler; then `--resume --from libtriton`"),),
        (r"error: .*\[-Werror[,=]",),
    ),
    Known(
        "llvm-api",
        N_("LLVM's API differs from what the commit was written for: {detail}"),
        (
            N_("--llvm prebuilt or --llvm source takes the pinned commit"),
            N_(
                "or a commit of Triton whose pin is next to your LLVM: `git log cmake/llvm-hash.txt` lists pins"
            ),
        ),
        (
            r"(?P<detail>(?:mlir|llvm)/[\w/]+\.h(?:\.inc)?)'? file not found",
            r"fatal error: (?P<detail>(?:mlir|llvm)/[\w/.]+): No such file",
            r"error: (?P<detail>no (?:member|type|template) named '\w+' in (?:namespace )?'(?:mlir|llvm)[\w:<>, ]*')",
            r"error: (?P<detail>‘[^’]+’ (?:is not a member of|has not been declared in|in namespace) ‘?(?:mlir|llvm)[^’]*’?[^\n]{0,80})",
            r"error: (?P<detail>[‘'](?:class|struct|const class|const struct)? ?(?:mlir|llvm)::[^’']+[’'] has no member named [‘']\w+[’'])",
            r"error: (?P<detail>[^\n]*marked [‘']?override[’']?,? (?:but does not override|hides virtual)[^\n]{0,80})",
            r"error: (?P<detail>no matching (?:member )?function for call to '\w+'|too (?:few|many) arguments to function call)",
            r"(?:mlir|llvm)/[\w/.]+\.h:\d+:\d+: error: (?P<detail>[^\n]{0,120})",
            r"tblgen[^\n]*error: (?P<detail>[^\n]{0,120})|error: (?P<detail2>Couldn't find class '\w+')",
        ),
        issues=(2108, 828, 1154, 5521, 2770),
    ),
    Known(
        "cmake-version",
        N_("this cmake is too old, or too new, for the commit"),
        (N_("`--resume --from pybind11` brings one that the commit takes"),),
        (r"CMake \d[\d.]* or higher is required", r"Compatibility with CMake < 3\.5 has been removed"),
    ),
    Known(
        "no-ref",
        N_("the commit, tag or branch is not in the repository that was given"),
        (N_("name one that is: `git ls-remote` lists them; a mirror may need `git fetch` first"),),
        (
            r"couldn't find remote ref (?P<ref>\S+)",
            r"not our ref",
            r"did not match any file\(s\) known to git",
            r"unadvertised object",
        ),
    ),
    Known(
        "network",
        N_("the network or the server is not there"),
        (
            N_("`--resume` tries again from here"),
            N_("offline: --source DIR takes a clone, --llvm system an installed LLVM"),
        ),
        (
            r"Could not resolve host",
            r"Name or service not known",
            r"Temporary failure in name resolution",
            r"Connection (?:refused|reset by peer|timed out)",
            r"Network is unreachable",
            r"unable to access '",
            r"No matching distribution found for (?P<what>\S+)",
            r"urlopen error",
            r"Requested an offline build but (?P<variable>\w+) is not set",
        ),
        issues=(6919, 4414, 5069, 9722),
    ),
)
