# SPDX-License-Identifier: Apache-2.0
"""Finds shared libraries like the dynamic linker of Debian. Does not need to run the programs."""

import os
import pathlib
import re
import subprocess

import initramfs

# Lines of readelf that end with a name or path in brackets.
TAGS = re.compile(r"^.*\b(interpreter|NEEDED|RUNPATH|RPATH)\b.*?: \[?(.*)\]\s*$", re.M)


class Finder:
    """Libraries of one architecture under `roots`, each the root of a Debian system. The first match wins."""

    def __init__(self, arch, roots):
        self._arch = arch
        self._roots = [pathlib.Path(root) for root in roots]

    def find(self, name, run_path=()):
        """(path in the guest, file here) of a library, by soname or absolute path. Raises FileNotFoundError."""
        triplet = self._arch.triplet
        folders = [*run_path, f"usr/lib/{triplet}", f"lib/{triplet}", "usr/local/lib", "usr/lib", "lib"]
        for root in self._roots:
            for folder in [""] if name.startswith("/") else folders:
                file = root / folder.lstrip("/") / name.lstrip("/")
                if file.is_file() and initramfs.elf_machine(file) == self._arch.elf_machine:
                    return _guest_path(root, file), file
        raise FileNotFoundError(f"no library {name} for {self._arch.name}; is its package installed?")

    def needed_by(self, program):
        """The results of find() for the interpreter and every library of a file. Empty if it is not an ELF file."""
        if not initramfs.is_elf(program):
            return []
        if initramfs.elf_machine(program) != self._arch.elf_machine:
            raise ValueError(f"{program} is not a program for {self._arch.name}")
        found = {}
        self._collect(pathlib.Path(program), found)
        return list(found.values())

    def _collect(self, file, found):
        names, run_path = _dynamic_section(file)
        for name in names:
            soname = pathlib.Path(name).name
            if soname not in found:  # the interpreter is found by its soname, too
                found[soname] = self.find(name, run_path)
                self._collect(found[soname][1], found)


def _dynamic_section(file):
    """The names of the libraries that an ELF file needs, and the search path in the file."""
    command = ["readelf", "--wide", "--program-headers", "--dynamic", file]
    shown = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    names, run_path = [], []
    for tag, value in TAGS.findall(shown):
        if tag in ("RUNPATH", "RPATH"):
            run_path += value.replace("$ORIGIN", str(file.parent)).split(":")
        else:
            names.append(value)
    return names, run_path


def _guest_path(root, file):
    """Resolves the directory (merged /usr), and keeps the file name, because it is the soname."""
    folder = pathlib.Path(os.path.realpath(file.parent)).relative_to(os.path.realpath(root))
    merged = folder if folder.parts[0] == "usr" else "usr" / folder
    return str(merged / file.name)
