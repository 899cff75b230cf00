# SPDX-License-Identifier: Apache-2.0
"""Debian systems with systemd, as initramfs: fresh ones, with the packages of this tree lying there, not installed.

/packages has the packages, and /packages/dependencies what apt would download for them, so a machine needs no network.
"""

import pathlib
import subprocess
import tempfile

TREE = pathlib.Path(__file__).resolve().parent.parent
# Beside the essential packages and apt: what a server has, and what the checks look at it with.
INCLUDED = ("systemd", "systemd-sysv", "dbus", "iproute2", "procps", "curl", "man-db", "bash-completion")
SOURCES = ("CMakeLists.txt", "bpf", "cmake", "debian", "docs", "include", "packaging", "src")
UNIT = """\
[Unit]
Description=The command of the machine
After=multi-user.target
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate

[Service]
Type=oneshot
ExecStart=/vm/deliver
TimeoutStartSec=infinity
"""
# Without udev, the device of the console never appears, and a login there would wait for it.
CMDLINE = "systemd.mask=serial-getty@ttyS0.service systemd.mask=getty@tty1.service"


def debs(suite):
    """The packages of this tree for a suite. Builds them if they are older than the tree, which takes minutes and root.

    Raises CalledProcessError if they do not build."""
    folder = TREE / "build" / "distributions" / suite
    found = sorted(path for path in folder.glob("*.deb") if "-dbgsym_" not in path.name)
    if not found or min(path.stat().st_mtime for path in found) < _newest_source():
        subprocess.run([TREE / "tests" / "distributions" / "run", suite, "package"], check=True)
        found = sorted(path for path in folder.glob("*.deb") if "-dbgsym_" not in path.name)
    return found


def _newest_source():
    files = (file for name in SOURCES for file in [TREE / name, *(TREE / name).rglob("*")])
    return max(file.stat().st_mtime for file in files if file.is_file())


def prepare(suite):
    """Makes the archive that image() returns, if it is older than the packages. Needs root, and takes half a minute."""
    packages = debs(suite)
    image = image_of(suite)
    if image.exists() and image.stat().st_mtime >= max(path.stat().st_mtime for path in packages):
        return
    with tempfile.TemporaryDirectory(prefix=f"twtrace-{suite}-", dir="/var/tmp") as directory:
        root = pathlib.Path(directory) / "root"
        _make_root(suite, root, packages)
        _pack(root, image)


def image_of(suite):
    """Where prepare() leaves a cpio archive of the system, without compression."""
    return TREE / "build" / "systems" / f"{suite}.cpio"


def _make_root(suite, root, packages):
    fetch = ("mkdir -p /packages/dependencies/partial && apt-get -q -y -oDir::Cache::archives=/packages/dependencies "
             "--download-only install /packages/*.deb && rm -r /packages/dependencies/partial /packages/dependencies/lock")
    subprocess.run(
        [TREE / "tests" / "distributions" / "root", suite, root, "--variant=minbase", f"--include={','.join(INCLUDED)}",
         "--dpkgopt=path-exclude=/usr/share/locale/*", "--customize-hook=mkdir $1/packages",
         f"--customize-hook=copy-in {' '.join(map(str, packages))} /packages",
         f"--customize-hook=chroot $1 sh -c '{fetch}'"], check=True)  # yapf: disable
    (root / "etc/hostname").write_text("fresh\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost fresh\n::1 localhost\n")
    (root / "init").symlink_to("usr/lib/systemd/systemd")
    units = root / "etc/systemd/system"
    (units / "vm.service").write_text(UNIT)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/vm.service").symlink_to("../vm.service")


def _pack(root, image):
    image.parent.mkdir(parents=True, exist_ok=True)
    partial = image.with_suffix(".partial")
    with open(partial, "wb") as archive:
        subprocess.run(["sh", "-c", "find . -xdev -print0 | busybox cpio -0 -o -H newc"],
                       cwd=root, stdout=archive, stderr=subprocess.DEVNULL, check=True)
    partial.rename(image)
