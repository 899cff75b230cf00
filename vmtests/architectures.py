# SPDX-License-Identifier: Apache-2.0
"""The differences between the processors on which kernels are tested."""

import dataclasses
import platform

# QEMU 7.2 emulates cmpxchg16b wrongly enough to crash a 6.12 kernel in kmalloc; the other features only bring warnings.
TCG_CPU_X86 = "Nehalem,-cx16,+rdrand"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """`name` is Debian's, `uname` the kernel's, `elf_machine` the e_machine of its programs."""

    name: str
    uname: str
    triplet: str
    elf_machine: int
    build: str  # the folder of build/ that holds its programs
    qemu: tuple[str, ...]
    tcg_cpu: str
    serial_ports: tuple[str, ...]  # QEMU options that wire the chardevs console, output and results
    console: str
    output: str  # what the guest calls the port that carries the command's output
    results: str
    cmdline: str = ""  # an emulated timer on a starved host fails the kernel's check of it, which panics

    @property
    def is_native(self):
        return platform.machine() == self.uname


_ALL = (
    Architecture(
        name="amd64", uname="x86_64", triplet="x86_64-linux-gnu", elf_machine=62, build="release",
        qemu=("qemu-system-x86_64", "-machine", "pc"), tcg_cpu=TCG_CPU_X86,
        serial_ports=("-serial", "chardev:console", "-serial", "chardev:output", "-serial", "chardev:results"),
        console="ttyS0", output="ttyS1", results="ttyS2", cmdline="no_timer_check"),
    # The machine has one port of its own. The cpu is what clouds rent out; `max` authenticates pointers, slowly.
    Architecture(
        name="arm64", uname="aarch64", triplet="aarch64-linux-gnu", elf_machine=183, build="aarch64",
        qemu=("qemu-system-aarch64", "-machine", "virt,gic-version=max"), tcg_cpu="neoverse-n1",
        serial_ports=("-serial", "chardev:console", "-device", "pci-serial,chardev=output", "-device",
                      "pci-serial,chardev=results"),
        console="ttyAMA0", output="ttyS0", results="ttyS1"),
)  # yapf: disable


def named(name):
    """Raises ValueError for an unknown one."""
    for architecture in _ALL:
        if architecture.name == name:
            return architecture
    raise ValueError(f"no architecture '{name}' (have: {', '.join(one.name for one in _ALL)})")
