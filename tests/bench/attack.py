#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The exporter under attack: slow clients, bad requests, huge headers, closed sockets. Needs root.

Slow clients send a byte now and then, never finish a request, and come back when they are given up. Meanwhile one client
scrapes as it should. twtrace must take a sample in every interval, and answer every one of these scrapes.
"""

import argparse
import itertools
import re
import selectors
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True

import sandbox  # noqa: E402
from goals import Goals  # noqa: E402
from soak import Exporter  # noqa: E402

ADDRESSES = 250  # of the clients: more than the exporter has places for
MOST_CONNECTIONS = 128
CLOSING = 8  # libmicrohttpd closes those that are given up a moment later
HEAD = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
BAD = (
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
    HEAD + b"X: y\r\n" * 5_000 + b"\r\n",
    b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
    b"\r\n" * 2_000,
)
LEAVE_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets the connection


class Background:
    """Calls _turn() again and again, in a thread that ends with the block."""

    def __enter__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            self._turn()


class SlowClients(Background):
    """Each has a connection and sends a byte a second. One that is given up connects again at once."""

    def __init__(self, target, count):
        self._target, self._selector, self._due = target, selectors.EpollSelector(), 0
        self.connected = 0
        self._clients = [self._connect(number) for number in range(count)]

    def __exit__(self, *_):
        super().__exit__()
        for client in self._clients:
            client.close()

    def _connect(self, number):
        client = socket.socket()
        client.bind((f"127.0.1.{1 + number % ADDRESSES}", 0))
        client.connect(self._target)
        client.setblocking(False)
        self._selector.register(client, selectors.EVENT_READ, number)
        self.connected += 1
        self._send(client, HEAD)
        return client

    @staticmethod
    def _send(client, data):
        try:
            client.send(data)
        except OSError:
            pass  # given up: the selector will say so

    def _turn(self):
        for key, _ in self._selector.select(timeout=0.1):
            self._selector.unregister(key.fileobj)
            key.fileobj.close()
            self._clients[key.data] = self._connect(key.data)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + 1
            for client in self._clients:
                self._send(client, b"x")


class BadClients(Background):
    """One bad request after the other. Of four clients, one leaves without reading, and one resets the connection."""

    def __init__(self, target, per_second):
        self._target, self._pause_s = target, 1 / per_second
        self._turns = itertools.count()
        self.sent = 0

    def _turn(self):
        turn = next(self._turns)
        try:
            with socket.create_connection(self._target, 10, (f"127.0.2.{1 + turn % ADDRESSES}", 0)) as client:
                client.sendall(BAD[turn // 4 % len(BAD)])
                self.sent += 1
                if turn % 4 == 3:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LEAVE_AT_ONCE)
                elif turn % 4 != 2:
                    client.recv(65536)
        except OSError:
            pass  # the exporter may close before it has read everything
        self._stop.wait(self._pause_s)


def value(text, metric):
    return int(float(re.search(rf"^{metric} (\S+)$", text, re.M)[1]))


class Seen:
    """What the client saw that scrapes as it should."""

    def __init__(self, exporter, seconds, pause_s):
        self.latencies, self.failed, self.connections = [], [], 0
        begin, begun = time.monotonic(), value(exporter.scrape(), "twtrace_samples_total")
        last, last_at, self.longest_s = begun, begin, 0
        while time.monotonic() < begin + seconds:
            asked = time.monotonic()
            try:
                text = exporter.scrape()
            except OSError as error:
                self.failed.append(error)
                continue
            now = time.monotonic()
            self.latencies.append(now - asked)
            self.connections = max(self.connections, value(text, "process_open_fds"))
            if value(text, "twtrace_samples_total") != last:
                last, self.longest_s, last_at = value(text, "twtrace_samples_total"), max(self.longest_s, now - last_at), now
            time.sleep(pause_s)
        self.samples, self.seconds = last - begun, last_at - begin

    def print(self, what, interval_s):
        ordered = sorted(self.latencies)
        middle, late = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
        print(f"  {what}: {self.samples} samples in {self.seconds:.2f} s, one each {self.seconds / self.samples * 1e3:.1f} ms "
              f"(-d {interval_s}), seen {self.longest_s * 1e3:.0f} ms apart at most")
        print(f"  {what}: {len(ordered)} scrapes answered, {len(self.failed)} not; half of them within {middle:.1f} ms, "
              f"99% within {late:.1f} ms, all within {ordered[-1] * 1e3:.1f} ms")


def attack(arguments, goals):
    with Exporter(arguments.twtrace, "-d", arguments.delay) as exporter:
        host, port = exporter.url.split("/")[2].rsplit(":", 1)
        target = host, int(port)
        before = value(exporter.scrape(), "process_open_fds")
        pause_s = arguments.delay / 10
        calm = Seen(exporter, arguments.seconds / 3, pause_s)
        calm.print("calm", arguments.delay)
        with SlowClients(target, arguments.slow) as slow, BadClients(target, arguments.bad_per_second) as bad:
            attacked = Seen(exporter, arguments.seconds, pause_s)
            print(f"  {arguments.slow} slow clients connected {slow.connected} times, {bad.sent} bad requests")
        attacked.print("attacked", arguments.delay)
        print(f"  descriptors: {before} before, {attacked.connections} at most")
        goals.say("99% of the intervals have their sample", attacked.samples >= attacked.seconds / arguments.delay * 0.99)
        goals.say(f"every scrape is answered {attacked.failed[:1] or ''}".rstrip(), not attacked.failed)
        goals.say("a scrape takes less than a second", max(attacked.latencies) < 1)
        goals.say(f"at most {MOST_CONNECTIONS} connections", attacked.connections - before <= MOST_CONNECTIONS + CLOSING)
        goals.say("it ends well", exporter.stop() == 0)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench attack", description=__doc__.splitlines()[0])
    parser.add_argument("--twtrace", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=60, help="of the attack (default: %(default)s)")
    parser.add_argument("--delay", type=float, default=0.1, help="of the samples, in seconds (default: %(default)s)")
    parser.add_argument("--slow", type=int, default=1000, help="slow clients (default: %(default)s)")
    parser.add_argument("--bad-per-second", type=float, default=100, help="bad requests (default: %(default)s)")
    goals = Goals("attack: ")
    attack(parser.parse_args(), goals)
    return 0 if goals.all_met else 1


if __name__ == "__main__":
    sandbox.run_main("attack", main)
