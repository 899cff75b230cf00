# SPDX-License-Identifier: Apache-2.0
"""Plays scenes of production hosts with real services and records each with `twtrace capture`.

Runs as root in a guest of vmtests (see record), because it uses the host's own network namespace, its settings and its
cgroups. The services are small and so are the limits, so that a file has less than 100 KB.

usage: stage.py DIRECTORY [SCENE]...     writes SCENE.db there; without names every scene
"""
import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CGROUPS = pathlib.Path("/sys/fs/cgroup/system.slice")
WORK = pathlib.Path("/run/scene")
SYSCTLS = pathlib.Path("/proc/sys/net/ipv4")
DEFAULTS = {"tcp_max_tw_buckets": 5000, "ip_local_port_range": "32768\t60999", "tcp_tw_reuse": 2}
# It closes first, as most servers do with clients that want no keep-alive.
NGINX_CONF = """
daemon off;
pid nginx.pid;
error_log /dev/null;
worker_processes 2;
user root;
events {}
http {
  access_log off;
  server { listen 127.0.0.1:80; location / { return 200 "ok"; } }
}
"""


def wait_for(what, condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"timed out waiting for {what}")


class Stage:
    """A host with nothing on it: no service, no bucket, default settings. One scene is played on it, and recorded."""

    def __init__(self, file, netns=None, **sysctls):
        """`netns`: everything is in a network namespace of that name. `sysctls`: under net.ipv4."""
        self.file = file
        self.inside = ["ip", "netns", "exec", netns] if netns else []
        self.netns = netns
        self.sysctls = {**DEFAULTS, **sysctls}
        self.services = set()
        self.background = []

    def __enter__(self):
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir()
        if self.netns:
            self.run("ip", "netns", "add", self.netns, outside=True)
            self.run("ip", "link", "set", "lo", "up")
        for name, value in self.sysctls.items():
            self.run("sh", "-c", f"echo '{value}' > {SYSCTLS / name}")
        (WORK / "nginx.conf").write_text(NGINX_CONF)
        for name in ("queue-worker", "agents"):
            shutil.copy(HERE / "redis_client.py", WORK / name)
            (WORK / name).chmod(0o755)
        return self

    def __exit__(self, *_):
        for name in self.services:
            self.end(name)
            (CGROUPS / f"{name}.service").rmdir()
        for process in self.background:
            process.wait()
        if self.netns:
            self.run("ip", "netns", "del", self.netns, outside=True)
        else:
            self.run("ss", "-K", "-Ht", "state", "all", stdout=subprocess.DEVNULL)
            wait_for("an empty table", lambda: " tw 0 " in pathlib.Path("/proc/net/sockstat").read_text())

    def run(self, *command, outside=False, **options):
        subprocess.run([*([] if outside else self.inside), *map(str, command)], check=True, cwd=WORK, **options)

    def command(self, name, *command):
        """A command line that becomes `command` in the cgroup of a service. (The ip of busybox knows no netns.)"""
        cgroup = CGROUPS / f"{name}.service"
        cgroup.mkdir(parents=True, exist_ok=True)
        self.services.add(name)
        join = f"echo $$ > {cgroup}/cgroup.procs; exec \"$@\""
        return ["bash", "-c", join, "bash", *self.inside, *map(str, command)]

    def start(self, name, *command, **options):
        """Starts a process of a service."""
        process = subprocess.Popen(self.command(name, *command), cwd=WORK, stdin=subprocess.DEVNULL,
                                   **{"stdout": subprocess.DEVNULL, **options})
        self.background.append(process)
        return process

    def do(self, name, *command):
        """Runs a process of a service to its end, whatever that is."""
        self.start(name, *command, stderr=subprocess.DEVNULL).wait()

    def end(self, name):
        """Kills what is left of a service."""
        cgroup = CGROUPS / f"{name}.service"
        for pid in (cgroup / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        wait_for(f"the end of {name}", lambda: "populated 0" in (cgroup / "cgroup.events").read_text())

    def wait_listening(self, port):
        test = [*self.inside, "ss", "-Hltn", f"sport = :{port}"]
        wait_for(f"port {port}", lambda: subprocess.run(test, check=True, capture_output=True).stdout)

    def nginx(self):
        self.start("nginx", "nginx", "-p", WORK, "-c", "nginx.conf", "-e", "/dev/null")
        self.wait_listening(80)

    def redis(self, *options):
        self.start("redis", "redis-server", "--port", 6379, "--save", "", "--maxclients", 4000, *options)
        self.wait_listening(6379)

    def customers(self, requests):
        self.do("customers", "ab", "-q", "-r", "-c", 4, "-n", requests, "http://127.0.0.1/")

    @contextlib.contextmanager
    def capture(self, delay_s=1):
        """Records from the first line of the block until two samples after its last."""
        process = subprocess.Popen(self.capture_command("-d", delay_s), cwd=WORK, stderr=subprocess.PIPE, text=True)
        wait_for("twtrace", lambda: process.stderr.readline() == "ready\n")
        time.sleep(delay_s)
        yield
        time.sleep(2 * delay_s)
        process.send_signal(signal.SIGINT)
        print(process.communicate()[1])
        assert process.returncode == 0, process.returncode

    def capture_command(self, *options):
        return ["twtrace", "capture", "-o", str(self.file), *map(str, options)]


def full(file):
    """A web server whose customers want no keep-alive fills the table, and is refused itself."""
    with Stage(file, tcp_max_tw_buckets=500) as stage:
        stage.nginx()
        with stage.capture():
            stage.customers(900)


def held(file):
    """A queue worker without a connection pool fills the table of a container. The web server beside it is refused."""
    with Stage(file, netns="payments", tcp_max_tw_buckets=500) as stage:
        stage.nginx()
        stage.redis()
        with stage.capture():
            stage.do("queue-worker", "./queue-worker", "pop", 465, 200)
            stage.customers(400)


def level(file):
    """As many buckets come as go: new connections have the ports of old ones, and take their places."""
    with Stage(file, tcp_max_tw_buckets=450, ip_local_port_range="32768\t33167") as stage:
        stage.nginx()
        with stage.capture():
            stage.customers(2500)


def draining(file):
    """The load has ended a minute ago, and the table empties."""
    with Stage(file, tcp_max_tw_buckets=1000) as stage:
        stage.nginx()
        with stage.capture(5):
            for _ in range(6):
                stage.customers(100)
                time.sleep(1)
            time.sleep(50)


def late(file):
    """twtrace starts when the table is full already. A few customers are still there."""
    with Stage(file, tcp_max_tw_buckets=500) as stage:
        stage.nginx()
        stage.customers(600)
        with stage.capture():
            stage.customers(200)


def ports(file):
    """A queue worker connects for every item until no local port is left."""
    with Stage(file, ip_local_port_range="32768\t32967", tcp_tw_reuse=0) as stage:
        stage.redis()
        with stage.capture():
            stage.do("queue-worker", "./queue-worker", "pop", 500, 100)


def ports_late(file):
    """twtrace starts when no local port is left."""
    with Stage(file, ip_local_port_range="32768\t32967", tcp_tw_reuse=0) as stage:
        stage.redis()
        stage.do("queue-worker", "./queue-worker", "pop", 220, 200)
        with stage.capture():
            stage.do("queue-worker", "./queue-worker", "pop", 150, 50)


def queue(file):
    """Redis is busy with one slow command, and its accept queue overflows."""
    with Stage(file) as stage:
        stage.redis("--tcp-backlog", 16, "--enable-debug-command", "yes")
        with stage.capture():
            stage.start("admin", "redis-cli", "debug", "sleep", 6)
            time.sleep(1)
            stage.start("agents", "./agents", "storm", 90)
            time.sleep(3)


def restart(file):
    """Redis is restarted while hundreds of clients are connected, and their connections end with it."""
    with Stage(file, tcp_max_tw_buckets=500) as stage:
        stage.redis()
        agents = stage.start("agents", "./agents", "hold", 700, stdout=subprocess.PIPE)
        agents.stdout.readline()
        start = shlex.join(stage.command("redis", "redis-server", "--port", 6379, "--save", ""))
        (WORK / "restart-redis").write_text(
            "#!/bin/sh\nredis-cli shutdown nosave\nwhile ss -Hltn sport = :6379 | grep -q .; do sleep 0.1; done\n"
            f"setsid {start} > /dev/null 2>&1 &\n"
            "until ss -Hltn sport = :6379 | grep -q .; do sleep 0.1; done\n")
        (WORK / "restart-redis").chmod(0o755)
        stage.run(*stage.capture_command("--before", 2, "--after", 3, "--", "./restart-redis"))


def calm(file):
    """A web server with few customers and a large table."""
    with Stage(file) as stage:
        stage.nginx()
        with stage.capture():
            stage.customers(150)


SCENES = {scene.__name__: scene for scene in (full, held, level, draining, late, ports, ports_late, queue, restart, calm)}


def main():
    directory = pathlib.Path(sys.argv[1])
    socket.sethostname("web1")
    for name in sys.argv[2:] or SCENES:
        print(f"--- {name}", flush=True)
        SCENES[name](directory / f"{name}.db")


main()
