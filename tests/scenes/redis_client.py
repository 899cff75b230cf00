#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client of Redis. A copy under another name is another program to the kernel.

usage: NAME pop COUNT PER_S    makes a connection for every item and closes first, COUNT times
       NAME hold COUNT         keeps COUNT connections until the server closes them; says "connected" when it has them
       NAME storm COUNT        begins COUNT connections at once and waits for none of them
"""
import contextlib
import select
import socket
import sys
import time

REDIS = ("127.0.0.1", 6379)


def pop(count, per_s):
    begin = time.monotonic()
    for i in range(int(count)):
        time.sleep(max(0.0, begin + i / float(per_s) - time.monotonic()))
        with contextlib.suppress(OSError), socket.create_connection(REDIS, timeout=5) as redis:
            redis.sendall(b"LPOP queue\r\n")
            redis.recv(4096)


def hold(count):
    connections = [socket.create_connection(REDIS) for _ in range(int(count))]
    print("connected", flush=True)
    waiting = select.epoll()
    known = {connection.fileno(): connection for connection in connections}
    for number in known:
        waiting.register(number, select.EPOLLIN)
    while known:
        for number, _ in waiting.poll():
            known.pop(number).close()


def storm(count):
    begun = []
    for _ in range(int(count)):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(REDIS)
        begun.append(connection)
    time.sleep(60)


{"pop": pop, "hold": hold, "storm": storm}[sys.argv[1]](*sys.argv[2:])
