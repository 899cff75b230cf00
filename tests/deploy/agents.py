# SPDX-License-Identifier: Apache-2.0
"""A fleet of queue agents, each with a connection of its own, on which it waits for items: BLPOP through a proxy.

An agent pops an item, works on it, and reports it with RPUSH. When it loses its connection it logs that and connects
again. SIGTERM drains the fleet: agents that wait hang up, those that work finish and report first.

usage: agents.py COUNT PORT GO     the work on an item takes until the file GO exists
"""
import contextlib
import os
import signal
import socket
import sys
import threading
import time


class Fleet:
    def __init__(self, port, go):
        self.port = port
        self.go = go
        self.lock = threading.Lock()
        self.waiting = set()
        self.draining = False

    @contextlib.contextmanager
    def wait_on(self, connection):
        """Inside, a drain hangs up the connection."""
        with self.lock:
            self.waiting.add(connection)
            if self.draining:
                connection.shutdown(socket.SHUT_WR)
        yield
        with self.lock:
            self.waiting.discard(connection)

    def drain(self):
        with self.lock:
            self.draining = True
            for connection in self.waiting:
                connection.shutdown(socket.SHUT_WR)

    def use(self, connection):
        """Works until the connection is lost, or the fleet drains."""
        replies = connection.makefile("rb")

        def lines(count):
            got = [replies.readline() for _ in range(count)]
            if not got[-1]:
                raise ConnectionError("Connection closed by server.")
            return got

        while not self.draining:
            with self.wait_on(connection):
                connection.sendall(b"BLPOP queue 0\r\n")
                item = lines(5)[4]
            while not os.path.exists(self.go):
                time.sleep(0.02)
            connection.sendall(b"RPUSH done " + item)
            lines(1)

    def agent(self, number):
        while not self.draining:
            try:
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    self.use(connection)
            except OSError as error:
                if not self.draining:
                    os.write(sys.stderr.fileno(), f"agent {number}: {error}\n".encode())  # a line in one piece


def main():
    count, port, go = sys.argv[1:]
    fleet = Fleet(int(port), go)
    signal.signal(signal.SIGTERM, lambda *_: fleet.drain())
    agents = [threading.Thread(target=fleet.agent, args=(number,)) for number in range(int(count))]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()


main()
