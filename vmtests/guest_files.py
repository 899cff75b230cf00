# SPDX-License-Identifier: Apache-2.0
"""The files of the guest: base system, kernel modules, the binary under test, and the caller's extra files."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import initramfs
import kernels
import libraries
import systems

GUEST = pathlib.Path(__file__).resolve().with_name("guest")
BUILDS = GUEST.parents[1] / "build"
# Built by the target tests_vm.
PROGRAMS = tuple(map(pathlib.Path, ("twtrace", "tests/bpf/bpf_test", "tests/bpf/capture_test", "tests/bpf/parts_test",
                                    "tests/bpf/readers_test", "tests/bpf/verifier_cost")))
WORKLOAD = pathlib.Path("tests/workloads/tw_workload")  # static
VERIFIER_BUDGET = GUEST.parents[1] / "tests" / "bpf" / "verifier_budget.txt"
TOOLS = ("ip", "ss", "bash")
NATIVE_TOOLS = ("setpriv",)  # for the hosts of the matrix, that drop privileges: they have this machine's processor
# Inserted if the kernel has them as modules. 5.10 has no mptcp_diag at all.
MODULES = ("inet_diag", "tcp_diag", "mptcp_diag", "veth", "dummy", "sch_netem")
PASSWD = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
GROUP = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n"
HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files\n"


def build(path, kernel, row, settings, arguments):
    """Writes the initramfs, with the files of --extra and of the row. Raises LookupError if this kernel lacks a module of
    --module, and OSError if a program is missing."""
    # Libraries of this system come first, because the program under test was built with them.
    finder = libraries.Finder(kernel.arch, dict.fromkeys((pathlib.Path("/"), kernel.system)))
    archive = initramfs.Archive(finder)
    settings = {**settings, "VM_OUTPUT": kernel.arch.output, "VM_RESULTS": kernel.arch.results}
    archive.data("boot/settings", "".join(f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()))
    archive.data("boot/command", _command(row.command, settings))
    archive.tree("vm", GUEST, skip=("__pycache__",))
    programs = arguments.build or BUILDS / kernel.arch.build
    if row.system:
        # twtrace comes from the packages there. The kernel unpacks a second archive over the first.
        archive.file(f"vm/{WORKLOAD.name}", programs / WORKLOAD)
        shutil.copyfile(systems.image_of(row.system), path)
    else:
        _add_base(archive, kernel.system, finder)
        _add_modules(archive, kernel, arguments.module)
        archive.file("vm/verifier_budget.txt", VERIFIER_BUDGET)
        for program in (*PROGRAMS, WORKLOAD):
            archive.program(f"vm/{program.name}", programs / program)
        if arguments.with_python:
            _add_python(archive)
    for item in (*arguments.extra, *row.extra):
        _add_extra(archive, item)
    with open(path, "ab") as file:
        file.write(archive.bytes())


def _add_modules(archive, kernel, more):
    modules, missing = kernels.module_files(kernel, [*MODULES, *more])
    if absent := set(missing) - set(MODULES):
        raise LookupError(f"{kernel.release} has no module {' '.join(sorted(absent))}")
    for index, (name, data) in enumerate(modules):
        archive.data(f"boot/modules/{index:03}-{name}.ko", data)


def _command(command, settings):
    exports = "".join(f"export {key}={shlex.quote(str(value))}\n" for key, value in settings.items())
    return f"{exports}{command}\n"


def _add_base(archive, system, finder):
    archive.data("init", (GUEST / "init").read_bytes(), 0o755)
    for directory in ("proc", "sys", "dev", "run", "tmp", "etc", "root", "results", "boot", "vm", "var"):
        archive.directory(directory)
    # The kernel opens /dev/console for process 1 before devtmpfs is mounted.
    archive.device("dev/console", 5, 1)
    archive.device("dev/null", 1, 3)
    archive.data("etc/passwd", PASSWD)
    archive.data("etc/group", GROUP)
    archive.data("etc/hosts", HOSTS)
    archive.data("etc/nsswitch.conf", NSSWITCH)
    archive.symlink("var/run", "/run")
    for tool in TOOLS + (NATIVE_TOOLS if system == pathlib.Path("/") else ()):
        archive.program(f"usr/bin/{tool}", _which(system, tool))
    # glibc loads it by name when a thread is cancelled.
    archive.program(*finder.find("libgcc_s.so.1"))
    # It is compiled for 64 bits and little-endian, which fits all architectures here.
    archive.tree("usr/lib/locale/C.utf8", "/usr/lib/locale/C.utf8")
    _add_busybox(archive, system, finder)


def _add_busybox(archive, system, finder):
    busybox = _which(system, "busybox")
    if finder.needed_by(busybox):
        sys.exit("vmtests/run: busybox is not static: install busybox-static")
    archive.file("usr/bin/busybox", busybox)
    # The busybox of this system can list its applets, and has the same version.
    native = _which(pathlib.Path("/"), "busybox")
    applets = subprocess.run([native, "--list"], text=True, capture_output=True, check=True).stdout.split()
    for applet in applets:
        archive.symlink(f"usr/bin/{applet}", "busybox")


def _add_extra(archive, item):
    source, _, target = item.partition(":")
    source = pathlib.Path(source)
    target = target or f"vm/{source.name}"
    if source.is_dir():
        archive.tree(target, source)
    elif initramfs.is_elf(source):
        archive.program(target, source)
    else:
        archive.file(target, source)


def _add_python(archive):
    """Adds the system's python3, because an interpreter from elsewhere has its library at unknown paths."""
    python = pathlib.Path(os.path.realpath("/usr/bin/python3"))
    archive.program(f"usr/bin/{python.name}", python)
    archive.symlink("usr/bin/python3", python.name)
    skip = ("__pycache__", "test", "tests", "idlelib", "tkinter", "lib2to3", "ensurepip", "pydoc_data", "distutils")
    archive.tree(f"usr/lib/{python.name}", f"/usr/lib/{python.name}",
                 skip=(*skip, *(p.name for p in pathlib.Path(f"/usr/lib/{python.name}").glob("config-*"))))


def _which(system, program):
    # bin comes first, because an absolute link in sbin would lead out of an unpacked system.
    folders = [str(system / folder) for folder in ("usr/bin", "bin", "usr/sbin", "sbin")]
    path = shutil.which(program, path=":".join(folders))
    if not path:
        sys.exit(f"vmtests/run: {program} is not installed")
    return path
