# SPDX-License-Identifier: Apache-2.0
"""Starts tracers, waits for them, and reads their cost from the kernel while they run."""

import ctypes
import os
import platform
import re
import signal
import subprocess
import tempfile
import time

import sandbox

START_TIMEOUT_S = 20
DRAIN_TIMEOUT_S = 20
QUIET_CPU_S = 0.005  # in 0.1 s: what twtrace may use for its own timers and scans


class Tracer:
    """A running tracer. What it prints goes to files, which cost no reader any time; read them after `stop`."""

    def __init__(self, command, ready=None):
        """`ready`: a line on standard error that says all is attached; without one, loaded programs have to do."""
        self._command = [str(word) for word in command]
        self._ready = ready

    def __enter__(self):
        self._files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=self._files[0],
                                         stderr=self._files[1])
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        for file in self._files:
            file.close()

    def stop(self):
        """Ends it as Ctrl-C does, and waits until its programs are detached."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(DRAIN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def output(self):
        return self._text(0)

    def errors(self):
        return self._text(1)

    def _text(self, which):
        # Not by seek: the tracer writes where the offset is.
        descriptor = self._files[which].fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(self.errors().strip() or "it does not start")
            time.sleep(0.05)
        if not self._ready:
            time.sleep(0.7)  # loaded, not yet attached

    def _is_ready(self):
        return self._ready in self.errors().splitlines() if self._ready else bool(sandbox.bpf_programs(self._process.pid))

    def wait_until_drained(self):
        """Until it has read all that the kernel has for it: it hardly runs any more."""
        deadline = time.monotonic() + DRAIN_TIMEOUT_S
        before, quiet = self.cpu_seconds(), 0
        while quiet < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
            now = self.cpu_seconds()
            quiet = quiet + 1 if now - before < QUIET_CPU_S else 0
            before = now

    def cpu_seconds(self):
        return sandbox.cpu_seconds(self._process.pid)

    def resident_bytes(self):
        return sandbox.field(f"/proc/{self._process.pid}/status", "VmRSS") * 1024

    def bpf_totals(self):
        return sandbox.bpf_totals(self._process.pid)


class RunTimeStatistics:
    """Lets the kernel measure BPF run time while the block runs.

    By BPF_ENABLE_STATS instead of the sysctl kernel.bpf_stats_enabled: it ends with the descriptor, so nothing is left
    behind however this process ends.
    """

    _BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}
    _BPF_ENABLE_STATS = 32
    _BPF_STATS_RUN_TIME = 0

    def __enter__(self):
        attributes = ctypes.create_string_buffer(128)
        ctypes.memmove(attributes, ctypes.byref(ctypes.c_uint32(self._BPF_STATS_RUN_TIME)), 4)
        libc = ctypes.CDLL(None, use_errno=True)
        number = self._BPF_SYSCALL[platform.machine()]
        self._fd = libc.syscall(number, self._BPF_ENABLE_STATS, attributes, len(attributes))
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS")
        return self

    def __exit__(self, *_):
        os.close(self._fd)


def lost_events(errors):
    """As libbpf-tools say it on standard error."""
    return sum(map(int, re.findall(r"lost (\d+) events", errors, re.IGNORECASE)))
