# SPDX-License-Identifier: Apache-2.0
"""Tracers under measurement: started, waited for, and their cost read from the kernel while they run."""

import ctypes
import os
import pathlib
import platform
import signal
import subprocess
import time

START_TIMEOUT_S = 20


class Tracer:
    """A running tracer. Leaving the block stops it and waits until its programs are detached."""

    def __init__(self, command, ready=None):
        """`ready`: a line on standard error that says all is attached; without one, loaded programs have to do."""
        self._command = [str(word) for word in command]
        self._ready = ready

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE if self._ready else subprocess.DEVNULL)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self):
        if self._ready:
            for line in self._process.stderr:
                if line.decode(errors="replace").strip() == self._ready:
                    return
            raise RuntimeError(f"{self._command[0]} ended with {self._process.wait()} before it was ready")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.bpf_run_ns_by_program():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._command[0]} loaded no program")
            time.sleep(0.1)
        time.sleep(1)  # loaded, not yet attached

    def cpu_seconds(self):
        """CPU time of all threads of the tracer, as the scheduler counts it: to the nanosecond, not to the tick."""
        threads = pathlib.Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def bpf_run_ns_by_program(self):
        """Run time of every BPF program this very process holds, by program id: no other tracer's are among them."""
        times = {}
        for info in pathlib.Path(f"/proc/{self._process.pid}/fdinfo").iterdir():
            try:
                fields = dict(line.split(":\t", 1) for line in info.read_text().splitlines() if ":\t" in line)
            except FileNotFoundError:
                continue  # closed meanwhile
            if "run_time_ns" in fields:
                times[fields["prog_id"]] = int(fields["run_time_ns"])
        return times

    def bpf_run_ns(self):
        return sum(self.bpf_run_ns_by_program().values())


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
