"""The calculators of ML systems: pure functions with their sources, and a registry that commands and lessons share.

Each subject is a module of functions (`parameters`, `flops`, `memory`, `activations`, `pipeline`, `collectives`,
`roofline`, `kv_cache`). `declared` says which options each has and what a report of it shows.
"""

from mlsys_path.calculators.pages import expand, run_line
from mlsys_path.calculators.registry import CALCULATORS, Calculator, find
from mlsys_path.calculators.report import Report, Row

__all__ = ["CALCULATORS", "Calculator", "Report", "Row", "expand", "find", "run_line"]
