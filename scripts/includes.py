#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include of src/ against the table of docs/architecture.md: scripts/includes.py [ROOT].

No files may include each other in a circle. A source and its header count as one.

Tests include Catch2 by way of tests/support/catch.hpp alone, which hides its version.
"""

import collections
import graphlib
import pathlib
import re
import sys

ROW = re.compile(r"^\| `src/([\w/]+)` \|.*\| ([^|]*) \|$", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)')
SYSTEM = ("arpa/", "fmt/", "linux/", "net/", "netinet/", "spdlog/", "sys/")  # free for all
ONE_OF_A_NAME = ("events.cpp", "words.cpp")


def read_table(text):
    """Maps a folder, or a file without its suffix, to the prefixes of the headers that it may include."""
    cells = {key: re.findall(r"[\w/.]+", cell) for key, cell in ROW.findall(text)}
    return {key: tuple(word if "/" in word or "." in word else word + "/" for word in cells[key]) for key in cells}


def check_file(root, file, table):
    """Yields complaints about a file, named as in `src/file`."""
    row = max((key for key in table if file.startswith((key + "/", key + "."))), key=len, default=None)
    if row is None:
        yield 1, "docs/architecture.md has no row for it"
        return
    ruled = tuple(entry for entries in table.values() for entry in entries)
    allowed = (*table[row], file.split("/")[0] + "/")
    own = file.removesuffix(".cpp") + ".hpp"
    missing = file.endswith(".cpp") and (root / "src" / own).exists()
    for number, line in enumerate((root / "src" / file).read_text(encoding="utf-8").splitlines(), 1):
        if not (match := INCLUDE.match(line)):
            continue
        bracket, header = match.groups()
        foreign = header.startswith(ruled) or "/" in header and not header.startswith(SYSTEM)
        if (bracket == '"' or foreign) and not header.startswith(allowed):
            yield number, f"{row} may not include {header}: see the table of docs/architecture.md"
        missing = missing and header != own
    if missing:
        yield 1, f"it does not include the header of its name, {own}"


def check_circles(root, files):
    """Yields a complaint about one circle, if there is any."""
    included = {file.rpartition(".")[0]: set() for file in files}
    for file in files:
        for line in (root / "src" / file).read_text(encoding="utf-8").splitlines():
            if (match := INCLUDE.match(line)) and match[1] == '"':
                included[file.rpartition(".")[0]].add(match[2].removesuffix(".hpp"))
    for name, others in included.items():
        others.discard(name)
    try:
        graphlib.TopologicalSorter(included).prepare()
    except graphlib.CycleError as error:
        circle = error.args[1]
        yield f"src/{circle[0]}.hpp:1: includes run in a circle: {' <- '.join(circle)}"


def check_tests(root):
    for path in sorted(p for p in (root / "tests").rglob("*") if p.suffix in (".cpp", ".hpp")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match[2].startswith("catch2/") and path != root / "tests/support/catch.hpp":
                yield f"{path.relative_to(root)}:{number}: include support/catch.hpp instead of {match[2]}"


def complaints(root):
    table = read_table((root / "docs/architecture.md").read_text(encoding="utf-8"))
    files = sorted(str(p.relative_to(root / "src")) for p in (root / "src").rglob("*") if p.suffix in (".cpp", ".hpp"))
    for file in files:
        yield from (f"src/{file}:{number}: {what}" for number, what in check_file(root, file, table))
    places = collections.defaultdict(list)
    for file in files:
        places[pathlib.Path(file).name].append(file)
    for name in ONE_OF_A_NAME:
        yield from (f"src/{file}:1: src/{places[name][0]} has this name already" for file in places[name][1:])
    yield from check_circles(root, files)
    yield from check_tests(root)


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1]
    found = list(complaints(root))
    sys.stderr.writelines(line + "\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
