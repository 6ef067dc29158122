"""The last step of the small project: what was built at work, its artefacts kept, as kernels.py does for Triton."""

import json
import sys
from pathlib import Path

task, folder, artefacts = sys.argv[1:4]
sys.path.insert(0, folder)

import little  # noqa: E402

TEXT = 'module { "little.op"() {value = 7 : i32} : () -> () }'


def say(name, good, what):
    print(json.dumps({"name": name, "outcome": "passed" if good else "failed", "what": what}), flush=True)


if task == "interpret":
    say("sum", little.sum() == 15, str(little.sum()))
else:
    Path(artefacts, "module.mlir").write_text(text := little.roundtrip(TEXT))
    say("MLIR", "little.op" in text, f"{len(text)} characters")
    Path(artefacts, "module.ll").write_text(text := little.llvm_module("little"))
    say("LLVM", "ModuleID = 'little'" in text, f"{len(text)} characters")
