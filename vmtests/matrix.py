# SPDX-License-Identifier: Apache-2.0
"""The kernels to test, read from matrix.json."""

import dataclasses
import json
import pathlib

BACKENDS = ("fentry", "kprobe", "tracepoint")


@dataclasses.dataclass(frozen=True)
class Row:
    """One kernel. `series` is a version prefix ("6.12"); empty means the newest of the suite."""

    id: str
    suite: str
    series: str
    required: bool
    backends: tuple[str, ...]


def load(path=pathlib.Path(__file__).with_name("matrix.json")):
    """All rows, in file order. Raises KeyError or ValueError on a malformed matrix."""
    rows = []
    for entry in json.loads(path.read_text())["kernels"]:
        row = Row(entry["id"], entry["suite"], entry["series"], entry["required"], tuple(entry["backends"]))
        if not row.backends or not set(row.backends) <= set(BACKENDS):
            raise ValueError(f"{path}: kernel {row.id}: unknown or no backends")
        rows.append(row)
    if len({row.id for row in rows}) != len(rows):
        raise ValueError(f"{path}: a kernel id occurs twice")
    return rows


def select(rows, ids):
    """The rows with these ids; SUITE:SERIES names a kernel that is not in the matrix. Raises ValueError."""
    by_id = {row.id: row for row in rows}
    chosen = []
    for wanted in ids:
        suite, colon, series = wanted.partition(":")
        if wanted in by_id:
            chosen.append(by_id[wanted])
        elif colon:
            chosen.append(Row(wanted, suite, series, True, BACKENDS))
        else:
            raise ValueError(f"no kernel '{wanted}' in the matrix (have: {', '.join(by_id)}; or SUITE:SERIES)")
    return chosen
