# SPDX-License-Identifier: Apache-2.0
"""A queue worker that was released without its connection pool: it connects to Redis for every item, and closes first.

usage: worker.py FILE     runs until the queue is empty, then appends the number of its connections to FILE
"""
import socket
import sys


def pop():
    with socket.create_connection(("127.0.0.1", 6379)) as redis:
        redis.sendall(b"LPOP queue\r\n")
        return redis.recv(4096)


connections = 1
while not pop().startswith(b"$-1"):  # the null reply: there is nothing left
    connections += 1
with open(sys.argv[1], "a", encoding="ascii") as counts:
    counts.write(f"{connections}\n")
