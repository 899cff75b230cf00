# SPDX-License-Identifier: Apache-2.0
"""The differences between the processors on which kernels are tested."""

import dataclasses
import platform

# QEMU 7.2 emulates cmpxchg16b wrongly, which crashes a 6.12 kernel in kmalloc. The other features only cause warnings.
TCG_CPU_X86 = "Nehalem,-cx16,+rdrand"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A processor. `name` is Debian's word, `uname` the kernel's, `elf_machine` the e_machine of its programs."""

    name: str
    uname: str
    triplet: str
    elf_machine: int
    build: str  # the folder of build/ with its programs
    qemu: tuple[str, ...]
    tcg_cpu: str
    serial_ports: tuple[str, ...]  # QEMU options that wire the chardevs console, output and results
    console: str
    output: str  # the guest's name of the port for the output of the command
    results: str
    cmdline: str = ""  # on a busy host, the kernel's check of the emulated timer fails, and it panics

    @property
    def is_native(self):
        return platform.machine() == self.uname


_ALL = (
    Architecture(
        name="amd64", uname="x86_64", triplet="x86_64-linux-gnu", elf_machine=62, build="release",
        qemu=("qemu-system-x86_64", "-machine", "pc"), tcg_cpu=TCG_CPU_X86,
        serial_ports=("-serial", "chardev:console", "-serial", "chardev:output", "-serial", "chardev:results"),
        console="ttyS0", output="ttyS1", results="ttyS2", cmdline="no_timer_check"),
    # The machine has one serial port itself. Clouds rent out this CPU. `max` authenticates pointers, which is slow.
    Architecture(
        name="arm64", uname="aarch64", triplet="aarch64-linux-gnu", elf_machine=183, build="aarch64",
        qemu=("qemu-system-aarch64", "-machine", "virt,gic-version=max"), tcg_cpu="neoverse-n1",
        serial_ports=("-serial", "chardev:console", "-device", "pci-serial,chardev=output", "-device",
                      "pci-serial,chardev=results"),
        console="ttyAMA0", output="ttyS0", results="ttyS1"),
)  # yapf: disable


def named(name):
    """The architecture with this name. Raises ValueError if there is none."""
    for architecture in _ALL:
        if architecture.name == name:
            return architecture
    raise ValueError(f"no architecture '{name}' (have: {', '.join(one.name for one in _ALL)})")
