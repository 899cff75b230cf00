# SPDX-License-Identifier: Apache-2.0
"""nginx and ab in a network namespace of their own: the screen says what batch JSON says at the same moment, and both
say what the kernel says.

usage: real_traffic.py TWTRACE COLUMNSxROWS
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from screen import Screen, wait_for

REQUESTS = 1009
OTHERS = 6007  # requests in another namespace: more events than the live view keeps
PORT = 8080  # of NGINX_CONF
NGINX_CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "nginx.conf")


class Namespace:
    """A network namespace with nginx in it. Both end with the object."""

    def __init__(self, which=""):
        self.name = f"twtui{os.getpid()}{which}"
        self.directory = tempfile.mkdtemp(prefix="twtrace-tui-")
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run("ip", "link", "set", "lo", "up")
        self.nginx = subprocess.Popen(["ip", "netns", "exec", self.name, "nginx", "-p", self.directory, "-c", NGINX_CONF,
                                       "-e", "/dev/null"])
        wait_for("nginx", lambda: f":{PORT}" in self.run("ss", "-ltn"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=True)
        shutil.rmtree(self.directory)

    def run(self, *command):
        return subprocess.run(["ip", "netns", "exec", self.name, *command], check=True, capture_output=True,
                              text=True).stdout

    def created(self):
        """The kernel's counters of the namespace."""
        counters = dict(line.split()[:2] for line in
                        self.run("nstat", "-asz", "TcpExtTW", "TcpExtTWKilled").splitlines()[1:])
        return int(counters["TcpExtTW"]) + int(counters["TcpExtTWKilled"])

    def in_use(self):
        with_tw = re.search(r"TCP: .* tw (\d+)", self.run("cat", "/proc/net/sockstat"))
        return int(with_tw.group(1))


class Batch:
    """A twtrace -b --json that runs beside the live view."""

    def __init__(self, twtrace, namespace):
        self.out = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([twtrace, "-b", "--json", "-d", "0.5", "--netns", namespace],
                                        stdout=self.out, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr.readline() == "ready\n"

    def stop(self):
        """The last JSON object."""
        self.process.terminate()
        assert self.process.wait() == 0
        self.process.stderr.close()
        self.out.seek(0)
        return json.loads(self.out.read().splitlines()[-1])


def totals(screen):
    """Buckets created and missed, from the lines at the top."""
    text = "\n".join(screen.lines()[:2])
    created = re.search(r"created total ([0-9,]+)", text)
    missed = re.search(r"missed ([0-9,]+) created", text)
    return [int(found.group(1).replace(",", "")) if found else 0 for found in (created, missed)]


def row_of(screen, pattern):
    """The cells of a row, by the title of their column."""
    lines = screen.lines()
    titles = next(line for line in lines if "COMMAND" in line)
    line = next(line for line in lines if re.search(pattern, line))
    ends = [(match.group(), match.start(), match.end()) for match in re.finditer(r"\S+", titles)]
    fields = {}
    for index, (title, start, end) in enumerate(ends):
        left = ends[index - 1][2] if index else 2
        right = ends[index + 1][1] - 1 if index + 1 < len(ends) else len(line)
        is_text = title in ("COMMAND", "SERVICE", "ROLE")
        cell = line[start:right] if is_text else line[left:end]
        fields[title] = cell.split()[-1] if cell.split() else ""
    return fields


def main():
    twtrace, size = sys.argv[1:]
    columns, rows = (int(part) for part in size.split("x"))
    with Namespace() as namespace, Screen(f"{twtrace} -d 0.5 --netns {namespace.name}", columns, rows) as screen:
        screen.wait(r"\[1 ?Processes\]")
        batch = Batch(twtrace, namespace.name)
        before = namespace.created()
        namespace.run("ab", "-q", "-n", str(REQUESTS), "-c", "5", f"http://127.0.0.1:{PORT}/")
        wait_for("what ab leaves", lambda: namespace.created() - before >= REQUESTS)
        created = namespace.created() - before
        # The kernel's count is ours plus, on machines that skip programs, what no program saw.
        wait_for(f"{created} buckets on the screen", lambda: sum(totals(screen)) == created)
        screen.keys("L")  # by live buckets, because this order no longer changes
        screen.wait(r"by live")
        screen.wait(r"CREATED/s")
        shown = row_of(screen, r"\bnginx\b")
        missed_by_screen = totals(screen)[1]
        snapshot = batch.stop()
        netns = next(row for row in snapshot["namespaces"] if row["name"] == namespace.name)
        row = next(row for row in snapshot["rows"] if row["process"] and row["process"]["comm"] == "nginx")
        missed_by_batch = netns["missed"]["created"]
        assert netns["created"] + missed_by_batch == created, (netns, created)
        assert REQUESTS - missed_by_batch <= row["created"] <= REQUESTS, row

        # Each of the two tracers has its own misses. Without any, their counts are equal.
        assert abs(int(shown["CREATED"]) - row["created"]) <= missed_by_screen + missed_by_batch, (shown, row)
        assert int(shown["OVERFLOW"]) == row["overflow"], (shown, row)
        assert int(shown["PORT"]) == row["port"] == PORT, (shown, row)
        assert shown["ROLE"] == row["role"], (shown, row)
        if "LIVE" in shown:
            wait_for("the live count", lambda: REQUESTS - missed_by_screen <=
                     int(row_of(screen, r"\bnginx\b")["LIVE"]) <= REQUESTS)
        print("ok: the row equals batch JSON, and the kernel's count")

        screen.keys("5")
        line = screen.wait(rf"{namespace.name} +\d+% .*").group(0)
        limit = int(namespace.run("sysctl", "-n", "net.ipv4.tcp_max_tw_buckets"))
        in_use = namespace.in_use()
        assert re.search(rf"\b{in_use}/{limit}\b", line), (line, in_use, limit)
        assert re.search(rf"\b{created - missed_by_screen}\b", line), (line, netns)
        print("ok: the namespace equals sockstat")

        screen.keys("2")
        service = row["service"]["name"]
        # The connections that ab closes belong to the same service, because both run in the cgroup of this test.
        screen.wait(rf"{re.escape(service[:8])}.* {created - missed_by_screen} ")
        screen.keys("3")
        screen.wait(rf"server +{PORT} .* {shown['CREATED']} ")
        screen.keys("6")
        # Beside a long name of the cgroup, 80 columns have no room for the stage.
        screen.wait(rf"created +(\S+ +)?\S*nginx\[\d+\] +server:{PORT}")
        # What others do pushes no event out that the command line asks for.
        with Namespace("b") as others:
            others.run("ab", "-q", "-n", str(OTHERS), "-c", "5", f"http://127.0.0.1:{PORT}/")
            screen.wait(rf"netns {others.name} [1-9]")
            assert re.search(r"created .*nginx", screen.text()), screen.text()
        screen.keys("1")
        screen.wait(r"COMMAND")
        while "nginx" not in (screen.selected() or ""):
            screen.keys("Down")
        screen.keys("Enter")
        screen.wait(rf"created {int(shown['CREATED']):,} ")
        screen.wait(rf"^Processes \(\d\)")
        print("ok: the other views and the details")
        screen.keys("q")
        assert screen.exit_code() == 0
        screen.check_restored()


main()
