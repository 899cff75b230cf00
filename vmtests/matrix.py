# SPDX-License-Identifier: Apache-2.0
"""The matrix of kernels, backends and hosts, read from matrix.json."""

import dataclasses
import json
import pathlib
import shutil

BACKENDS = ("fentry", "kprobe", "tracepoint")
TREE = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A distribution kernel. `series` is a version prefix ("6.12"); empty means the newest of the suite.

    `sample` is the backend that stands for it in a sample, if any; `cases` limits all of its rows ("--quick --budget").
    A kernel that is not required may be gone from the mirrors.
    """

    id: str
    suite: str
    series: str
    required: bool = True
    arch: str = "amd64"
    backends: tuple[str, ...] = BACKENDS
    sample: str = ""
    cases: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """One boot: the tests of a backend, or the checks of a host, on one kernel.

    `extra` names files and programs to put in, as --extra takes them. `preset` is another one that has to be built.
    `system` is the suite of a Debian system to boot, with systemd and the packages of this tree (see systems.py).
    """

    id: str
    kernel: Kernel
    command: str
    backend: str = ""
    append: str = ""
    no_cgroup2: bool = False
    in_sample: bool = False
    title: str = ""
    extra: tuple[str, ...] = ()
    preset: str = ""
    system: str = ""


class Matrix:
    """The content of matrix.json. Raises KeyError, TypeError or ValueError if it is malformed."""

    def __init__(self, path=pathlib.Path(__file__).with_name("matrix.json")):
        content = json.loads(path.read_text())
        self.kernels = {}
        for entry in content["kernels"]:
            kernel = Kernel(**{**entry, "backends": tuple(entry["backends"])})
            if not kernel.backends or not set(kernel.backends) <= set(BACKENDS) or kernel.sample not in ("", *kernel.backends):
                raise ValueError(f"{path}: kernel {kernel.id}: unknown or no backends")
            self.kernels[kernel.id] = kernel
        self.rows = [_tier_row(kernel, name) for kernel in self.kernels.values() for name in kernel.backends]
        extras = {name: tuple(map(_source, items)) for name, items in content["extras"].items()}
        self.rows += [self._host_row(entry, extras) for entry in content["hosts"]]
        if len({row.id for row in self.rows}) != len(self.rows):
            raise ValueError(f"{path}: an id occurs twice")

    def _host_row(self, entry, extras):
        kernel = self.kernels[entry["kernel"]]
        command = f'set -o pipefail; {entry["check"]} | tee "$RESULTS/host.tap"'
        return Row(f"{kernel.id}/{entry['id']}", kernel, command, append=entry.get("append", ""),
                   no_cgroup2=entry.get("no_cgroup2", False), title=entry["title"], preset=entry.get("preset", ""),
                   system=entry.get("system", ""), in_sample=entry.get("sample", False),
                   extra=extras[entry["extra"]] if "extra" in entry else ())

    def kernel(self, wanted):
        """The kernel with this id. SUITE:SERIES names one that is not in the matrix. Raises ValueError."""
        suite, colon, series = wanted.partition(":")
        if wanted in self.kernels:
            return self.kernels[wanted]
        if colon:
            return Kernel(wanted, suite, series)
        raise ValueError(f"no kernel '{wanted}' in the matrix (have: {', '.join(self.kernels)}; or SUITE:SERIES)")


def _tier_row(kernel, backend):
    return Row(f"{kernel.id}/{backend}", kernel, f"tier {backend} {kernel.cases}".strip(), backend, in_sample=backend == kernel.sample)


def _source(item):
    """The path of a file of this tree, or of a program of this system."""
    if "/" in item:
        return str(TREE / item)
    return shutil.which(item, path="/usr/bin:/usr/sbin:/bin:/sbin") or item
