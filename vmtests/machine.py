# SPDX-License-Identifier: Apache-2.0
"""One boot of a QEMU machine, and its results."""

import dataclasses
import pathlib
import re
import subprocess
import tarfile
import threading
import time

# One thread runs all virtual CPUs in turn. With one thread for each CPU, QEMU 7.2 can run a stale int3 while another
# CPU patches that code, and attaching fentry and kprobes patches code. This was seen once in 30 boots, as "Oops: int3"
# in sched_clock_cpu. One thread takes no measurable extra time, and leaves the second host core to a second machine.
TCG = "tcg,thread=single"
# Emulation on a busy host stalls virtual CPUs for seconds, so the stall detectors get more time than by default.
# The kernel frees namespaces and programs after an RCU grace period. Expedited ones make a row about 5% shorter.
CMDLINE = ("panic=-1 oops=panic mitigations=off rcupdate.rcu_cpu_stall_timeout=60 rcupdate.rcu_expedited=1 "
           "watchdog_thresh=30")
BOOT_ALLOWANCE_S = 120  # on top of the command's own time limit

SPLAT = re.compile(
    r"\] (WARNING: |BUG: |Oops|general protection|INFO: rcu|rcu: INFO|INFO: task .* blocked|UBSAN|"
    r"unregister_netdevice: waiting|refcount_t: |Kernel panic|.*(KASAN|soft lockup|hard LOCKUP|cut here))"
)


@dataclasses.dataclass
class Outcome:
    """The outcome of a boot. `status` is the exit code of the command, or None if the guest did not get that far."""

    status: int | None
    timed_out: bool
    splats: list[str]
    boot_s: float
    total_s: float
    problem: str

    @property
    def passed(self):
        return self.status == 0 and not self.problem and not self.splats


def accelerator():
    """kvm if it works, else emulation. /dev/kvm alone proves nothing: some sandboxes have it on CPUs without support."""
    flags = re.search(r"^flags\s*:(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    if not flags or not {"vmx", "svm"} & set(flags[1].split()):
        return TCG
    try:
        with open("/dev/kvm", "r+b", buffering=0):
            return "kvm"
    except OSError:
        return TCG


def boot(kernel, initrd, logs, *, timeout_s, accel, memory_mib, cpus, append, echo=None):
    """Boots and waits for power-off. Writes console.log, output.log and results/ into `logs`.

    `echo(bytes)` gets the command's output as it comes.
    """
    arch = kernel.arch
    if not arch.is_native:
        accel = TCG
    command = [
        "setpriv", "--pdeathsig", "KILL", "--",  # however the runner ends, its machines end, too
        *arch.qemu, "-accel", accel, "-cpu", "host" if accel == "kvm" else arch.tcg_cpu,
        "-smp", str(cpus), "-m", str(memory_mib), "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-chardev", f"file,id=console,path={logs}/console.log", "-chardev", "stdio,id=output,signal=off",
        "-chardev", f"file,id=results,path={logs}/results.tar", *arch.serial_ports,
        "-kernel", str(kernel.image), "-initrd", str(initrd),
        "-append", f"console={arch.console} {arch.cmdline} {CMDLINE} {append}",
    ]  # yapf: disable
    started = time.monotonic()
    with open(logs / "qemu.log", "wb") as errors, open(logs / "output.log", "wb", buffering=0) as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        killer = threading.Timer(timeout_s + BOOT_ALLOWANCE_S, process.kill)
        killer.start()
        try:
            while chunk := process.stdout.read1():
                output.write(chunk)
                if echo:
                    echo(chunk)
            process.wait()
        finally:
            killer.cancel()
            process.kill()
            process.wait()
    return _outcome(logs, process.returncode, time.monotonic() - started)


def _outcome(logs, qemu_status, total_s):
    results = logs / "results"
    try:
        with tarfile.open(logs / "results.tar") as archive:
            # The python of Debian 12 has no filters yet. Our own init made the archive.
            archive.extractall(results, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        (logs / "results.tar").unlink()
        status = int((results / "status").read_text())
        dmesg = (results / "dmesg").read_text(errors="replace")
        boot_s = float((results / "boot_seconds").read_text())
        timed_out = (results / "timed_out").exists()
        problem = "command timed out" if timed_out else ""
        return Outcome(status, timed_out, splats(dmesg), boot_s, total_s, problem)
    except (OSError, ValueError, tarfile.TarError):
        console = (logs / "console.log").read_text(errors="replace") if (logs / "console.log").exists() else ""
        return Outcome(None, False, splats(console), 0.0, total_s, _why_no_result(logs, console, qemu_status))


def _why_no_result(logs, console, qemu_status):
    if "Kernel panic" in console:
        return "kernel panic"
    if qemu_status < 0:
        return "no power-off in time"
    if qemu_status > 0:
        return f"qemu failed: {(logs / 'qemu.log').read_text(errors='replace').strip()[-200:]}"
    return "no result from the guest" if console else "no sign of life from the kernel"


def splats(log):
    """The lines of a kernel log that mean trouble."""
    return [line.strip() for line in log.splitlines() if SPLAT.search(line)]
