# SPDX-License-Identifier: Apache-2.0
"""What scenes of real programs share: commands that must succeed, and a scene that leaves nothing behind."""
import subprocess


def run(*command, **options):
    """Returns what the command prints. Raises CalledProcessError if it fails."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


class CleanedUp:
    """Used with `with`: set_up() begins it, and clean_up() ends it on every way out, also when set_up() fails."""

    def __enter__(self):
        try:
            self.set_up()
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, *_):
        self.clean_up()
