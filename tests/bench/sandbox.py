# SPDX-License-Identifier: Apache-2.0
"""The common parts of the measurements: a network namespace to load, twtrace to watch it, and numbers of a process."""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time


class Netns:
    """A private network namespace with lo up. Lives as long as the block; so do the buckets in it."""

    def __init__(self, **sysctls):
        """`sysctls`: under net.ipv4, without it."""
        self._sysctls = sysctls

    def __enter__(self):
        words = [f"net.ipv4.{name}={value}" for name, value in self._sysctls.items()]
        script = 'ip link set lo up && for w; do sysctl -qw "$w" || exit 1; done; echo up; read -r _'
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", script, "sh", *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._holder.stdout.readline().strip() != b"up":
            raise RuntimeError("cannot make a network namespace")
        self.pid = self._holder.pid
        self.inode = os.stat(f"/proc/{self.pid}/ns/net").st_ino
        return self

    def __exit__(self, *_):
        self._holder.stdin.close()
        self._holder.wait()

    def command(self, *words):
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *map(str, words)]

    def run(self, *words, **options):
        return subprocess.run(self.command(*words), check=True, **options)

    def popen(self, *words, **options):
        return subprocess.Popen(self.command(*words), **options)

    def buckets(self):
        """Buckets that are in the table now, by the kernel's gauge of this namespace."""
        for line in pathlib.Path(f"/proc/{self.pid}/net/sockstat").read_text().splitlines():
            if line.startswith("TCP:"):
                words = line.split()
                return int(words[words.index("tw") + 1])
        raise RuntimeError("no TCP in sockstat")

    def kernel_counts(self):
        """Buckets created and refused since the namespace was made, by the kernel's own counters."""
        lines = pathlib.Path(f"/proc/{self.pid}/net/netstat").read_text().splitlines()
        names, values = (line.split()[1:] for line in lines if line.startswith("TcpExt:"))
        known = dict(zip(names, map(int, values)))
        return {"created": known["TW"] + known["TWKilled"], "overflow": known["TCPTimeWaitOverflow"]}


@contextlib.contextmanager
def cgroup():
    """The path of a new cgroup. It and the cgroups directly below it are removed with the block."""
    mounts = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    mount = next((words[1] for words in mounts if words[2] == "cgroup2"), None)
    if mount is None:
        raise RuntimeError("no cgroup v2 here")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="twtrace-bench-", dir=mount))
    try:
        yield str(directory)
    finally:
        for child in directory.iterdir():
            if child.is_dir():
                child.rmdir()
        directory.rmdir()


class Twtrace:
    """`twtrace -b --json` with more arguments; its snapshots come one by one. Leaving the block ends it."""

    def __init__(self, binary, *arguments):
        self._command = [str(binary), "-b", "--json", *map(str, arguments)]

    def __enter__(self):
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if line.strip() == b"ready":
                break
        else:
            raise RuntimeError(f"twtrace ended with {self.process.wait()} before it was ready")
        self._lock = threading.Condition()
        self._last = b""
        self._count = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._errors = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._reader.start()
        self._errors.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self._reader.join()

    def _read(self):
        for line in self.process.stdout:
            with self._lock:
                self._last = line
                self._count += 1
                self._lock.notify_all()

    def fresh(self, timeout_s=60):
        """A snapshot whose numbers were all taken after this call."""
        with self._lock:
            wanted = self._count + 2
            if not self._lock.wait_for(lambda: self._count >= wanted, timeout_s):
                raise RuntimeError("twtrace prints no more snapshots")
            return json.loads(self._last)

    def count(self):
        """Snapshots printed so far."""
        with self._lock:
            return self._count

    def stop(self):
        """Ends it and returns its last snapshot."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait()
        self._reader.join()
        if code != 0:
            raise RuntimeError(f"twtrace ended with {code}")
        return json.loads(self._last)


class OnTerminal:
    """The live view on a pseudo terminal. Reads its output and throws it away."""

    def __init__(self, binary, *arguments, rows=50, columns=160):
        self._command = [str(binary), *map(str, arguments)]
        self._size = struct.pack("HHHH", rows, columns, 0, 0)

    def __enter__(self):
        self._terminal, inside = os.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, self._size)
        take = 'exec setsid --ctty --wait "$@"'
        self._outer = subprocess.Popen(["sh", "-c", take, "sh", *self._command], stdin=inside, stdout=inside,
                                       stderr=inside, env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
        os.close(inside)
        self.bytes = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self):
        with contextlib.suppress(OSError):  # EIO: everything on the other side has ended
            while got := os.read(self._terminal, 65536):
                self.bytes += len(got)

    def wait_drawn(self, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while self.bytes < 500:
            if time.monotonic() > deadline or self._outer.poll() is not None:
                raise RuntimeError("the live view does not come up")
            time.sleep(0.1)

    def pid(self):
        """Of the program itself, which has a child. setsid forks when it leads a process group."""
        outer = pathlib.Path(f"/proc/{self._outer.pid}")
        if (outer / "comm").read_text() != "setsid\n":
            return self._outer.pid
        return int((outer / f"task/{self._outer.pid}/children").read_text().split()[0])

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            os.write(self._terminal, b"q")
        try:
            self._outer.wait(10)
        except subprocess.TimeoutExpired:
            os.kill(self.pid(), signal.SIGKILL)
            self._outer.kill()
            self._outer.wait()
        self._reader.join(2)
        os.close(self._terminal)


class NetnsCounts:
    """What a snapshot of twtrace says of one namespace.

    `created`: buckets that it saw. `in_rows` and `unattributed`: how many of these are. `missed`: buckets that it did not
    see. `total`: all of them, which should be the number of the `kernel`."""

    def __init__(self, snapshot, inode):
        known = [each for each in snapshot["namespaces"] if each["netns"] == inode]  # none: it saw nothing there
        self.rows = [row for row in snapshot["rows"] if row["netns"] == inode]
        self.created, self.unattributed = (sum(each[name] for each in known) for name in ("created", "unattributed"))
        self.missed = sum(each["missed"]["created"] or 0 for each in known)
        self.total = self.created + self.missed
        self.in_rows = sum(row["created"] for row in self.rows)
        self.kernel = sum(each["kernel"]["created"] or 0 for each in known)


def cpu_seconds(pid):
    """CPU time of all threads of a process, as the scheduler counts it: to the nanosecond, not to the tick."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def usage(pid):
    """CPU seconds, voluntary context switches and memory (bytes) of a process so far."""
    status = f"/proc/{pid}/status"
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/status")
    return {"cpu_s": cpu_seconds(pid), "wakes": sum(field(thread, "voluntary_ctxt_switches") for thread in threads),
            "at": time.monotonic(),
            **{name: field(status, name) * 1024 for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")}}


def field(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise RuntimeError(f"{path} has no {name}")


def bpf_objects(pid, identity, *numbers):
    """The numbers of these names of every BPF object that a process holds, by the object's id.

    `identity`: the name of the id. Descriptors without it or without one of the numbers are of something else.
    """
    found = {}
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            fields = dict(line.split(":\t", 1) for line in info.read_text().splitlines() if ":\t" in line)
            if fields.keys() >= {identity, *numbers}:
                found[fields[identity]] = tuple(int(fields[name]) for name in numbers)
    return found


def bpf_programs(pid):
    """(run time in ns, runs) of every BPF program that this very process holds: no other tracer's are there."""
    return bpf_objects(pid, "prog_id", "run_time_ns", "run_cnt")


def bpf_totals(pid):
    """Run time in ns and runs over all its programs. They stay 0 without tracers.RunTimeStatistics."""
    programs = bpf_programs(pid).values()
    return sum(run_ns for run_ns, _ in programs), sum(runs for _, runs in programs)


def bpf_map_bytes(pid):
    """Kernel memory of all its BPF maps."""
    return sum(size for size, in bpf_objects(pid, "map_id", "memlock").values())


def measure(pid, seconds):
    """What the process used in between: wakes per second, percent of one core, memory at the end."""
    before = usage(pid)
    time.sleep(seconds)
    after = usage(pid)
    passed = after["at"] - before["at"]
    return {"wakes_per_s": (after["wakes"] - before["wakes"]) / passed,
            "cpu_percent": (after["cpu_s"] - before["cpu_s"]) / passed * 100,
            **{name: after[name] for name in ("VmRSS", "RssAnon", "RssFile", "RssShmem")}}


def run_main(name, main):
    """Ends this program as `main` says, or with the reason why part `name` could not be measured."""
    try:
        sys.exit(main())
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"scripts/bench {name}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
