# SPDX-License-Identifier: Apache-2.0
"""Builds the guest's file system: a newc cpio archive with programs and the libraries that they need."""

import os
import pathlib
import stat


class Archive:
    """A newc cpio archive in memory. The first entry for a path wins; parents are made as needed.

    `libraries` (see libraries.py) finds what the programs need.
    """

    def __init__(self, libraries):
        self._libraries = libraries
        self._parts = []
        self._paths = set()
        # /bin, /lib ... are links into /usr, as on the host whose libraries are copied.
        for name in ("bin", "sbin", "lib", "lib64"):
            self.directory(f"usr/{name}")
            self.symlink(name, f"usr/{name}")

    def directory(self, path):
        self._entry(path, stat.S_IFDIR | 0o755, b"")

    def symlink(self, path, target):
        self._entry(path, stat.S_IFLNK | 0o777, target.encode())

    def data(self, path, content, mode=0o644):
        self._entry(path, stat.S_IFREG | mode, content if isinstance(content, bytes) else content.encode())

    def device(self, path, major, minor):
        self._entry(path, stat.S_IFCHR | 0o600, b"", major, minor)

    def file(self, path, source):
        """Adds a copy of a file of the host, with its mode."""
        source = pathlib.Path(source)
        self.data(path, source.read_bytes(), stat.S_IMODE(source.stat().st_mode))

    def program(self, path, source):
        """Adds a copy of an executable or library, and of every library that the dynamic linker resolves for it."""
        self.file(path, source)
        for target, library in self._libraries.needed_by(source):
            self.file(target, library)

    def tree(self, path, source, skip=()):
        """Adds a copy of a directory, with the libraries of all ELF files in it. `skip` names directories to leave out."""
        for directory, names, files in os.walk(source):
            names[:] = sorted(name for name in names if name not in skip)
            target = pathlib.Path(path) / pathlib.Path(directory).relative_to(source)
            self.directory(str(target))
            for name in sorted(files):
                item = pathlib.Path(directory) / name
                if item.is_file():
                    (self.program if is_elf(item) else self.file)(str(target / name), item)

    def bytes(self):
        """Returns the finished archive."""
        return b"".join([*self._parts, _record("TRAILER!!!", 0, b"", 0, 0, 0), bytes(512)])

    def _entry(self, path, mode, content, major=0, minor=0):
        path = path.lstrip("/")
        if path in ("", ".") or path in self._paths:
            return
        parent = os.path.dirname(path)
        if parent:
            self.directory(parent)
        self._paths.add(path)
        self._parts.append(_record(path, mode, content, major, minor, len(self._paths)))


def _record(path, mode, content, major, minor, inode):
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, major, minor, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(content)


def _padded(data):
    return data + bytes(-len(data) % 4)


def is_elf(path):
    return elf_machine(path) is not None


def elf_machine(path):
    """The processor (e_machine) of an ELF program or library. None for other files, including object files."""
    with open(path, "rb") as file:
        head = file.read(20)
    is_relocatable = head[16:18] == b"\x01\0"
    return int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" and not is_relocatable else None
