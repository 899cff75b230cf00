# SPDX-License-Identifier: Apache-2.0
"""A deploy that fills the TIME_WAIT table, from `twtrace capture` to the report: every number equals the kernel's.

One network namespace with a limit of 5000, nginx with ab in front of it, Redis with a fleet of workers, each service in
a cgroup of its own. The capture must end with 99, name who filled the table and who was refused, and say what to change.

usage: scene.py TWTRACE [--keep FILE]     keeps the capture file there
"""
import json
import os
import shutil
import subprocess
import sys

from host import Host, run, wait_for

LIMIT = 5000
ITEMS = 6007
WORKERS = 4
REQUESTS = 1009

HERE = os.path.dirname(os.path.abspath(__file__))
NGINX_CONF = os.path.join(HERE, "..", "support", "nginx.conf")


class Scene(Host):
    def __init__(self):
        services = ("nginx.service", "redis.service", "queue-worker.service", "customers.service")
        super().__init__("twtrace-deploy", services, LIMIT)

    def set_up(self):
        super().set_up()
        nginx = self.in_service("nginx.service", f"nginx -p {self.directory} -c {NGINX_CONF} -e /dev/null")
        self.script("start-nginx", f"setsid {nginx} > /dev/null 2>&1 &",
                    f"until ip netns exec {self.name} ss -Hltn sport = 8080 | grep -q .; do sleep 0.05; done")
        worker = self.in_service("queue-worker.service", f"{sys.executable} {HERE}/worker.py {self.path('connections')}")
        self.script("start-workers", *[worker + " &" for _ in range(WORKERS)], "wait")
        customers = self.in_service("customers.service", f"ab -r -q -c 2 -n {REQUESTS} http://127.0.0.1:8080/")
        self.script("use-website", customers + " > /dev/null 2>&1")
        redis = f"redis-server --port 6379 --save \"\" --dir {self.directory} --daemonize no"
        self.script("start-redis", f"setsid {self.in_service('redis.service', redis)} > /dev/null 2>&1 &")
        for start in ("start-nginx", "start-redis"):
            run(self.path(start))
        wait_for("redis", lambda: subprocess.run(self.inside("redis-cli", "ping"), stdout=subprocess.DEVNULL,
                                                 stderr=subprocess.DEVNULL, check=False).returncode == 0)
        fill = f"for i = 1, {ITEMS} do redis.call('RPUSH', 'queue', i) end"
        run(*self.inside("redis-cli", "eval", fill, "0"))
        # Or its bucket comes between the first reading of the counters and the start of the capture.
        wait_for("redis-cli's connections to end", lambda: run(*self.inside("ss", "-Htn")) == "")


def check_report(report, name, counted, connections):
    created, refused = counted
    (netns,) = [n for n in report["namespaces"] if n["name"] == name]
    assert (netns["created"], netns["overflow"] + netns["no_memory"]) == (created, refused), (netns, counted)
    assert netns["kernel"]["created"] == created and netns["kernel"]["overflow"] == refused, netns
    assert set(netns["missed"].values()) == {0} and netns["reconciled"] is True, netns
    assert netns["in_use_peak"] == LIMIT == netns["settings_at_end"]["limit"], netns

    rows = [row for row in report["offenders"] if row["netns"] == netns["netns"]]
    assert sum(row["created"] for row in rows) == created and sum(row["overflow"] for row in rows) == refused, rows
    fleet = [row for row in rows if row["service"] == "queue-worker.service"]
    assert all((row["role"], row["port"]) == ("client", 6379) for row in fleet), fleet
    assert sum(row["created"] + row["overflow"] for row in fleet) == connections, (fleet, connections)
    web = [row for row in rows if row["service"] == "nginx.service"]
    assert web and all((row["role"], row["port"]) == ("server", 8080) for row in web), rows
    assert rows[0]["service"] == "queue-worker.service", rows[0]

    (verdict,) = report["verdicts"]
    assert verdict["state"] == "breached" and verdict["culprit"]["service"] == "queue-worker.service", verdict
    assert [mark["name"] for mark in report["marks"]] == ["restart nginx", "start queue workers"], report["marks"]
    assert {"refused", "table-too-small"} <= {finding["id"] for finding in report["findings"]}, report["findings"]


def main():
    twtrace = os.path.abspath(sys.argv[1])
    with Scene() as scene:
        before = scene.counters()
        environment = dict(os.environ, SCENE=scene.directory, TWTRACE=twtrace)
        capture = subprocess.run(
            [twtrace, "capture", "-o", scene.path("deploy.db"), "--before", "1", "--after", "2", "-d", "0.5",
             "--fail-if", "overflow>0", "--", os.path.join(HERE, "deploy.sh")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        print(capture.stderr)
        counted = tuple(now - then for now, then in zip(scene.counters(), before))
        assert capture.returncode == 99, capture.returncode
        assert capture.stdout == "", capture.stdout  # the command's own
        report = subprocess.run([twtrace, "report", scene.path("deploy.db")], stdout=subprocess.PIPE, text=True,
                                check=False)
        assert report.returncode == 99, report.returncode  # the file keeps the budget
        text = report.stdout
        assert max(len(line) for line in text.splitlines()) <= 79, text  # fits a mail
        for words in ("queue-worker.service", "sysctl -w", "restart nginx", "nginx.service"):
            assert words in text and words in capture.stderr, words
        with open(scene.path("connections"), encoding="ascii") as counts:
            connections = sum(int(line) for line in counts)
        assert connections == ITEMS + WORKERS, connections
        again = subprocess.run([twtrace, "report", "-o", "json", "--fail-if", "overflow>0", scene.path("deploy.db")],
                               stdout=subprocess.PIPE, check=False)
        assert again.returncode == 99, again.returncode
        check_report(json.loads(again.stdout), scene.name, counted, connections)
        print(f"ok: {counted[0]} created and {counted[1]} refused, as the kernel says; {connections} by the fleet")
        if sys.argv[2:3] == ["--keep"]:
            shutil.copy(scene.path("deploy.db"), sys.argv[3])


main()
