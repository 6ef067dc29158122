"""Makes a source; waits as long as the file that LITTLE_GATE names is there, and says by another that it waits."""

import os
import sys
import time
from pathlib import Path

gate = os.environ.get("LITTLE_GATE", "")
if gate and Path(gate).exists():
    Path(gate + ".reached").write_text(str(os.getpid()))
    until = time.monotonic() + 300
    while Path(gate).exists() and time.monotonic() < until:
        time.sleep(0.01)
Path(sys.argv[1]).write_text('#include "parts.h"\nint slow() { return 5; }\n')
