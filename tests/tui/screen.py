# SPDX-License-Identifier: Apache-2.0
"""A program on a private terminal (tmux), driven by keys and read as text."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from waiting import DEADLINE_S, wait_for  # noqa: E402

TMUX_NAMES = {"PgUp": "PPage", "PgDn": "NPage", "Esc": "Escape", "^L": "C-l", "^C": "C-c"}


class Screen:
    """One tmux server with one window. `command` runs under sh. After its end, the last screen can still be read."""

    def __init__(self, command, columns=80, rows=24, environment=None):
        self.directory = tempfile.TemporaryDirectory(prefix="twtrace-tui-")
        self.socket = os.path.join(self.directory.name, "tmux")
        self.done = os.path.join(self.directory.name, "done")
        self.pid_file = os.path.join(self.directory.name, "pid")
        exports = "".join(f"export {name}='{value}'; " for name, value in (environment or {}).items())
        # The inner shell becomes the program, so its pid is known. Ctrl-C reaches the outer shell, too.
        script = (f"trap : INT; {exports}stty -a > {self.directory.name}/stty.before; "
                  f"sh -c 'echo $$ > {self.pid_file}; exec {command}' 2> {self.directory.name}/stderr; "
                  f"code=$?; stty -a > {self.directory.name}/stty.after; echo exit=$code | tee {self.done}; exec cat")
        run = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        run.pop("TMUX", None)
        run.pop("NO_COLOR", None)
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y",
                        str(rows), "sh", "-c", script], check=True, env=run)
        self.tmux("set-option", "-g", "status", "off")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.resize(columns, rows)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)
        # The hangup ends the program and everything that it started.
        wait_for("the program to end", lambda: not os.path.exists(f"/proc/{self.pid()}"))
        self.directory.cleanup()

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True, text=True,
                              errors="replace").stdout

    def pid(self):
        """The program's process id."""
        with open(self.pid_file) as file:
            return int(file.read())

    def keys(self, *names):
        """Sends keys by their names in tmux: Enter, Escape, F1, C-l, NPage ..."""
        self.tmux("send-keys", *names)

    def type(self, text):
        # tmux takes a semicolon at the end of an argument for the end of its command.
        self.tmux("send-keys", "-l", text[:-1] + "\\;" if text.endswith(";") else text)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def lines(self):
        return self.tmux("capture-pane", "-p").split("\n")

    def text(self):
        return "\n".join(self.lines())

    def find(self, text):
        """The places of a text on the screen, from the top: line and column, starting with 0. Only ASCII may precede it in
        its line."""
        return [(row, line.index(text)) for row, line in enumerate(self.lines()) if text in line]

    def raw(self):
        """The screen with the escape sequences of colours and attributes."""
        return self.tmux("capture-pane", "-p", "-e")

    def selected(self):
        """The text under the cursor bar: the line whose first cell is reversed."""
        for line in self.raw().split("\n"):
            if re.match(r"(\x1b\[[0-9;]*m)*\x1b\[(?:[0-9;]*;)?7[;m]", line) and "Processes" not in line:
                return re.sub(r"\x1b\[[0-9;]*m", "", line)
        return None

    def wait(self, text, deadline_s=DEADLINE_S):
        """Waits until the screen shows `text`, a regular expression. Returns the match."""
        try:
            return wait_for(repr(text), lambda: re.search(text, self.text(), re.M), deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows:\n{self.text()}\n{self.stderr()}") from None

    def wait_without(self, text):
        try:
            wait_for("the end of " + repr(text), lambda: not re.search(text, self.text(), re.M))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows:\n{self.text()}") from None

    def exit_code(self):
        """Waits until the program has ended."""
        def read():
            with open(self.done) as file:
                return file.read().strip()
        wait_for("the program's end", lambda: os.path.exists(self.done) and read())
        return int(read().split("=")[1])

    def stderr(self):
        with open(os.path.join(self.directory.name, "stderr"), errors="replace") as file:
            return file.read()

    def check_restored(self):
        """Checks that the terminal is restored: its modes, and no alternate screen."""
        wait_for("the modes", lambda: os.path.exists(os.path.join(self.directory.name, "stty.after")))
        with open(os.path.join(self.directory.name, "stty.before")) as before, \
                open(os.path.join(self.directory.name, "stty.after")) as after:
            was, now = before.read(), after.read()
        # A test may have changed the size.
        without_size = re.compile(r"rows \d+; columns \d+;")
        assert without_size.sub("", was) == without_size.sub("", now), f"terminal modes differ:\n{was}\n{now}"
        wait_for("the normal screen", lambda: self.tmux("display-message", "-p", "#{alternate_on}").strip() == "0")
        assert self.tmux("display-message", "-p", "#{cursor_flag}").strip() == "1", "the cursor is hidden"
        assert self.tmux("display-message", "-p", "#{mouse_any_flag}").strip() == "0", "the mouse is still taken"


def keys_of_help(screen):
    """The keys that help lists, by their names in tmux. The screen shows all of help."""
    listed = []
    for line in screen.wait(r"^ Up Down k j +move\n(?s:.*)^ q F10 \^C +quit$").group(0).splitlines():
        for key in line[:14].split():
            listed += list("123456") if key == "1-6" else [TMUX_NAMES.get(key, key)]
    return listed
