# SPDX-License-Identifier: Apache-2.0
"""Connections with equal addresses and ports on two devices: each has its own bucket, is refused, or ends with a reset.

A server listens on each of two veth devices, bound to it. Behind each device a client has the same address and uses the
same ports. On the first device all connections get a bucket and fill the table. On the second they are refused, or the
server ends them with a reset. Every number must be the kernel's.

usage: devices.py TWTRACE
"""
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from cleanup import CleanedUp, run  # noqa: E402

COUNT = 20
PORT = 7001
FIRST_SOURCE = 30000
SERVER, CLIENT = "10.9.0.1", "10.9.0.2"


def serve(device, how):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    listener.bind((SERVER, PORT))
    listener.listen(COUNT)
    print("listening", flush=True)
    for _ in range(COUNT):
        connection = listener.accept()[0]
        if how == "reset":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the client has the FIN
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def use(how):
    for i in range(COUNT):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.bind((CLIENT, FIRST_SOURCE + i))
            connection.connect((SERVER, PORT))
            connection.recv(1)
            if how == "reset":
                connection.send(b"x")
                ended = select.poll()
                ended.register(connection, 0)  # a reset comes unasked; the server's FIN does not
                ended.poll()


class Twins(CleanedUp):
    """A namespace with two devices, and a client's namespace behind each."""

    def __init__(self):
        self.name = f"twins{os.getpid()}"
        self.clients = {device: self.name + device for device in ("first", "second")}

    def set_up(self):
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        for device, client in self.clients.items():
            run("ip", "netns", "add", client)
            run("ip", "-n", self.name, "link", "add", "name", device, "type", "veth", "peer", "name", "peer0", "netns",
                client)
            run("ip", "-n", self.name, "addr", "add", SERVER + "/24", "dev", device)
            run("ip", "-n", self.name, "link", "set", device, "up")
            run("ip", "-n", client, "addr", "add", CLIENT + "/24", "dev", "peer0")
            run("ip", "-n", client, "link", "set", "peer0", "up")
        run(*self.inside(self.name, "sysctl", "-qw", f"net.ipv4.tcp_max_tw_buckets={COUNT}",
                         "net.ipv4.conf.all.rp_filter=0", *[f"net.ipv4.conf.{name}.rp_filter=0" for name in self.clients]))

    def clean_up(self):
        for name in (self.name, *self.clients.values()):
            subprocess.run(["ip", "netns", "delete", name], check=False)

    @staticmethod
    def inside(name, *words):
        return ["ip", "netns", "exec", name, *words]

    def connect(self, device, how):
        this = (sys.executable, "-B", os.path.abspath(__file__))
        server = subprocess.Popen(self.inside(self.name, *this, "serve", device, how), stdout=subprocess.PIPE)
        server.stdout.readline()
        run(*self.inside(self.clients[device], *this, "use", how))
        if server.wait() != 0:
            raise RuntimeError("the server failed")


def scene(twtrace, how):
    """The row of the namespace, after COUNT connections on each device."""
    with Twins() as twins:
        tracer = subprocess.Popen([twtrace, "-b", "--json", "--netns", twins.name, "-d", "0.2"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        while tracer.stderr.readline() != "ready\n":
            if tracer.poll() is not None:
                raise RuntimeError("twtrace does not start")
        twins.connect("first", "close")
        twins.connect("second", how)
        tracer.send_signal(signal.SIGINT)
        lines = tracer.stdout.read().splitlines()
        tracer.wait()
        return next(row for row in json.loads(lines[-1])["namespaces"] if row["name"] == twins.name)


def main(twtrace):
    wrong = 0
    for how, refused in (("close", COUNT), ("reset", 0)):
        row = scene(twtrace, how)
        print(f"{how}: created {row['created']} refused {row['overflow']} missed {row['missed']} kernel {row['kernel']}")
        created = row["created"] + row["missed"]["created"]
        overflow = row["overflow"] + row["missed"]["overflow"]
        wrong += (row["kernel"]["created"], row["kernel"]["overflow"]) != (COUNT, refused)
        wrong += (created, overflow) != (COUNT, refused)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    elif sys.argv[1] == "use":
        use(*sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1]))
