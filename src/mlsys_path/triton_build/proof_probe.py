"""Run in a clean interpreter: imports the package from one folder alone, and tells what was loaded.

    python -I -S proof_probe.py FOLDER MODULE LIBRARY SYMBOL

Without site-packages, so that nothing but the folder and the standard library can be imported.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys

MARKER_BYTES = 32


def main() -> None:
    """Print what was loaded as JSON."""
    folder, module, library, symbol = sys.argv[1:5]
    sys.path.insert(0, folder)
    package = importlib.import_module(module)
    native = importlib.import_module(f"{module}.{library.replace('/', '.')}")
    loaded = os.path.realpath(native.__file__ or "")
    try:
        held = (ctypes.c_char * MARKER_BYTES).in_dll(ctypes.PyDLL(native.__file__), symbol)
        marker = held.value.decode(errors="replace")
    except ValueError:
        marker = ""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        mapped = sorted({line.split(None, 5)[5].strip() for line in file if ".so" in line and "/" in line})
    print(  # noqa: T201  (its answer)
        json.dumps(
            {
                "package": os.path.realpath(package.__file__ or ""),
                "named": native.__file__,
                "library": loaded,
                "version": getattr(package, "__version__", ""),
                "marker": marker,
                "mapped": mapped,
                "python": ".".join(map(str, sys.version_info[:3])),
            }
        )
    )


if __name__ == "__main__":
    main()
