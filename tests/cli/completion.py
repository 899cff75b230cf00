#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Presses Tab in real shells: completion.py TWTRACE SHELL. Skips a shell that is not installed."""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time

LIMIT_S = 30
TAB, BEGINNING_OF_LINE = "\t", "\x01"
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(twtrace completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(twtrace completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "twtrace completion fish | source"),
}
# The text before Tab, and the line after it.
CASES = [
    ("twtrace repo", "twtrace report"),
    ("twtrace capture --befo", "twtrace capture --before"),
    ("twtrace --probe fen", "twtrace --probe fentry"),
    ("twtrace report --output=mark", "twtrace report --output=markdown"),
    ("twtrace replay a-cap", "twtrace replay a-capture.db"),
    ("twtrace --btf=a-cap", "twtrace --btf=a-capture.db"),
    ("twtrace help comp", "twtrace help completion"),
    ("~/bin/twtrace repo", "~/bin/twtrace report"),
]
# After --, bash uses the package bash-completion, which is not loaded here.
AFTER_DASHES = [("twtrace capture -- a_pro", "twtrace capture -- a_program")]


def _take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Shell:
    """A shell on its own terminal, in a directory with one file and one program."""

    def __init__(self, name, twtrace, home):
        (home / "a-capture.db").touch()
        (home / "bin").mkdir()
        (home / "bin" / "a_program").write_text("#!/bin/sh\n")
        (home / "bin" / "a_program").chmod(0o755)
        (home / "bin" / "twtrace").symlink_to(twtrace)
        environment = {"HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "PS1": "$ ",
                       "PATH": f"{home}/bin:/usr/bin:/bin"}
        command, setup = START[name]
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=home, env=environment,
                                         start_new_session=True, preexec_fn=_take_terminal)
        os.close(slave)
        self._said = ""
        self._number = 0
        self._type(f"{setup}\n")
        self.line_after("")

    def _type(self, text):
        os.write(self._master, text.encode())

    def line_after(self, typed):
        """The command line after `typed` and Tab. An echo in front of it makes the shell print it."""
        self._number += 1
        mark = f"line{self._number}:"
        # The quotes distinguish the echo of the keys from the output.
        self._type(f"{typed}{BEGINNING_OF_LINE}echo 'line'{self._number}: \n")
        found = self._await(re.compile(re.escape(mark) + r"([^\r\n]*)\r?\n"))
        return found[1].strip()

    def _await(self, pattern):
        end = time.monotonic() + LIMIT_S
        while not (found := pattern.search(self._said)):
            ready, _, _ = select.select([self._master], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the shell does not say {pattern.pattern!r}, but: {self._said!r}")
            self._said += os.read(self._master, 65536).decode(errors="replace")
        self._said = self._said[found.end():]
        return found

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._master)


def main():
    twtrace, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    if not shutil.which(name):
        print(f"TWTRACE_SKIPPED: {name} is not installed")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        shell = Shell(name, twtrace, pathlib.Path(directory))
        try:
            for typed, expected in CASES + (AFTER_DASHES if name != "bash" else []):
                line = shell.line_after(typed + TAB).replace(directory, "~")  # echo has expanded it
                if line != expected:
                    print(f"FAILED {typed!r}: {line!r}, expected {expected!r}")
                    failed += 1
        finally:
            shell.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
