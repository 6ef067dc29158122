"""`params`: how many parameters a transformer has."""

from __future__ import annotations

from mlsys_path.calculators.declared import shape
from mlsys_path.calculators.inputs import Values
from mlsys_path.calculators.parameters import count
from mlsys_path.calculators.quantities import SHARE
from mlsys_path.calculators.report import Findings, Row
from mlsys_path.language import _

INPUTS = shape.pick(*shape.ALL, required=("layers", "hidden", "heads", "vocab"))


def compute(values: Values) -> Findings:
    """A row for each part, and the sums."""
    found = count(shape.shape_of(values))
    rows = [
        Row("embedding", _("embedding"), found.embedding),
        Row("attention", _("attention"), found.attention),
        Row("mlp", _("MLP and experts") if found.router else _("MLP"), found.mlp),
    ]
    if found.router:
        rows.append(Row("router", _("router"), found.router))
    rows.append(Row("norms", _("norms"), found.norms))
    if found.output:
        rows.append(Row("output", _("output layer"), found.output))
    rows.append(Row("total", _("all parameters"), found.total))
    if found.active != found.total:
        rows.append(Row("active", _("active for one token"), found.active))
        rows.append(Row("active-share", _("share that is active"), found.active / found.total, SHARE))
    rows.append(Row("multiplied", _("active without look-up tables"), found.multiplied))
    rows.append(Row("largest-layer", _("the largest layer"), found.largest_layer))
    return Findings(
        tuple(rows),
        ("layers × (attention + MLP + 2 norms) + (vocab + positions) × hidden + output + norm",),
        ("Narayanan et al. 2021 (arXiv:2104.04473), eq. 2", *shape.sources(values)),
    )
