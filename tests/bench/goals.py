#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goals of the measurements. Every part prints them in the same words.

`goals.py FILE...` repeats those in the outputs of parts, each named by its file.
"""

import pathlib
import re
import sys

STATED = re.compile(r"^(?:not )?met: .*$", re.MULTILINE)


class Goals:
    """Prints for each goal whether it is met, and remembers whether all are."""

    def __init__(self, subject=""):
        """`subject`: printed before every goal that does not name its subject."""
        self._subject = subject
        self.all_met = True

    def say(self, what, met):
        self.all_met = self.all_met and met
        print(f"{'met' if met else 'not met'}: {self._subject}{what}", flush=True)

    def say_all(self, goals):
        """`goals`: pairs of what and met."""
        for what, met in goals:
            self.say(what, met)


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        for goal in STATED.findall(path.read_text(encoding="utf-8")):
            print(f"{path.stem}: {goal}")


if __name__ == "__main__":
    main()
