# SPDX-License-Identifier: Apache-2.0
"""A small host: one network namespace with a limit, and each service in a cgroup of its own."""
import functools
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import waiting  # noqa: E402
from cleanup import CleanedUp, run  # noqa: E402

wait_for = functools.partial(waiting.wait_for, deadline_s=10)


class Host(CleanedUp):
    """Used with `with`: on every way out its processes, its cgroups, its namespace and its directory go."""

    def __init__(self, prefix, services, limit):
        """`services`: names of units. `limit`: net.ipv4.tcp_max_tw_buckets of the namespace."""
        self.directory = tempfile.mkdtemp(prefix=f"{prefix}-")
        self.name = prefix + str(os.getpid())
        self.services = services
        self.limit = limit
        root = run("findmnt", "-n", "-t", "cgroup2", "-o", "TARGET").splitlines()[0]
        self.cgroup = os.path.join(root, self.name)

    def path(self, name):
        return os.path.join(self.directory, name)

    def script(self, name, *lines):
        with open(self.path(name), "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\n" + "\n".join(lines) + "\n")
        os.chmod(self.path(name), stat.S_IRWXU)

    def in_service(self, service, command):
        """A shell line that becomes the command, in the service's cgroup and in the namespace."""
        return f"sh -c 'echo $$ > {self.cgroup}/{service}/cgroup.procs; exec ip netns exec {self.name} {command}'"

    def set_up(self):
        """Subclasses add their services."""
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        run(*self.inside("sysctl", "-qw", f"net.ipv4.tcp_max_tw_buckets={self.limit}"))
        for service in self.services:
            os.makedirs(f"{self.cgroup}/{service}")

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def kernel_counters(self):
        """What nstat says in the namespace, by name."""
        lines = run(*self.inside("nstat", "-asz")).splitlines()
        return {fields[0]: int(fields[1]) for fields in map(str.split, lines[1:])}

    def counters(self):
        """The namespace's own counters: buckets created, buckets refused."""
        values = self.kernel_counters()
        return (values["TcpExtTW"] + values["TcpExtTWKilled"], values["TcpExtTCPTimeWaitOverflow"])

    def in_services(self, file):
        """What the kernel says in that file of each service's cgroup."""
        for service in os.listdir(self.cgroup):
            if os.path.isdir(f"{self.cgroup}/{service}"):
                with open(f"{self.cgroup}/{service}/{file}", encoding="ascii") as text:
                    yield service, text.read()

    def populated(self):
        # cgroup.procs no longer names a process of which a thread is still on its way out.
        return any("populated 1" in events for _, events in self.in_services("cgroup.events"))

    def clean_up(self):
        if os.path.isdir(self.cgroup):
            for _, pids in self.in_services("cgroup.procs"):
                for pid in pids.split():
                    os.kill(int(pid), signal.SIGKILL)
            wait_for("the services to end", lambda: not self.populated())
            for service, _ in list(self.in_services("cgroup.events")):
                os.rmdir(f"{self.cgroup}/{service}")
            os.rmdir(self.cgroup)
        subprocess.run(["ip", "netns", "del", self.name], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)
