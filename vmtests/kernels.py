# SPDX-License-Identifier: Apache-2.0
"""Distribution kernels: found and fetched with apt, unpacked and cached outside the tree.

apt does the fetching with a private configuration per suite, so the system's package lists stay as they are while
its mirror, proxy and keys are used, and every file is checked against the signed index.
"""

import contextlib
import dataclasses
import fcntl
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import time

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INDEX_AGE_S = 6 * 3600  # an index younger than this is not fetched again


class Unavailable(Exception):
    """The suite, or a kernel of this series in it, cannot be had."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    """An unpacked kernel: `modules` is the directory with modules.builtin."""

    release: str
    package_version: str
    image: pathlib.Path
    modules: pathlib.Path


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "twtrace" / "kernels"


def get(row, refresh=False):
    """The kernel of a matrix row, from the cache or the mirror. `refresh` looks for a newer one. Raises Unavailable."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        pin = _pin(row)
        if refresh or not cached_release(row):
            _fetch(cache, row, pin)
        return _describe(cache, json.loads(pin.read_text()))


def cached_release(row):
    """The release that get() would return without the network, or None."""
    if not _pin(row).exists():
        return None
    release = json.loads(_pin(row).read_text())["release"]
    return release if (cache_dir() / "trees" / release).exists() else None


def _pin(row):
    return cache_dir() / f"{row.suite}_{row.series or 'newest'}.json"


@contextlib.contextmanager
def _locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _describe(cache, pinned):
    tree = cache / "trees" / pinned["release"]
    (image,) = [*tree.glob("boot/vmlinuz-*"), *tree.glob("usr/lib/modules/*/vmlinuz")]
    (builtin,) = [*tree.glob("lib/modules/*/modules.builtin"), *tree.glob("usr/lib/modules/*/modules.builtin")]
    return Kernel(pinned["release"], pinned["package_version"], image, builtin.parent)


def _fetch(cache, row, pin):
    apt = _Apt(cache / "apt" / row.suite, row.suite)
    release, packages = _choose(apt.package_names(), row)
    tree = cache / "trees" / release
    if not tree.exists():
        debs = cache / "debs" / release
        shutil.rmtree(debs, ignore_errors=True)
        apt.download(packages, debs)
        partial = cache / "trees" / f"{release}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for deb in sorted(debs.glob("*.deb")):
            _run(["dpkg-deb", "-x", deb, partial])
        partial.rename(tree)
        shutil.rmtree(debs)
    pin.write_text(json.dumps({"release": release, "package_version": apt.version(packages[0])}))


def _choose(names, row):
    """The newest release of the series and the packages that hold its image and modules.

    linux-image-* holds all of it up to 6.18; from 6.19 on it is an empty shell around linux-binary-* (the image),
    linux-modules-* and linux-base-* (the list of what is built in).
    """
    series = re.escape(row.series) + r"\." if row.series else r"\d"
    pattern = re.compile(rf"linux-(?:image|binary)-({series}.*-cloud-amd64)$")
    releases = {match[1] for match in map(pattern.match, names) if match}
    if not releases:
        raise Unavailable(f"no linux-image-{row.series or '*'}-cloud-amd64 package in suite {row.suite}")
    release = max(releases, key=lambda text: [int(digits) for digits in re.findall(r"\d+", text)])
    packages = [name for kind in ("binary", "image", "modules", "base") if (name := f"linux-{kind}-{release}") in names]
    return release, packages


class _Apt:
    """apt with its own lists for one suite."""

    def __init__(self, root, suite):
        self.root = root
        self.suite = suite
        for directory in ("lists/partial", "archives/partial"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        source = f"deb [arch=amd64 signed-by={KEYRING}] {_mirror()} {suite} main\n"
        (root / "sources.list").write_text(source)
        self.options = [
            f"-oDir::State={root}", f"-oDir::State::status={root}/status", f"-oDir::Cache={root}",
            f"-oDir::Etc::sourcelist={root}/sources.list", "-oDir::Etc::sourceparts=/dev/null",
            "-oAcquire::Languages=none", "-oAcquire::Retries=3", "-oAPT::Architecture=amd64",
            *(["-oAPT::Sandbox::User=root"] if os.geteuid() == 0 else []),
        ]  # yapf: disable
        self._update()

    def package_names(self):
        return set(_run(["apt-cache", *self.options, "pkgnames", "linux-"]).split())

    def version(self, package):
        shown = _run(["apt-cache", *self.options, "show", "--no-all-versions", package])
        return re.search(r"^Version: (.*)$", shown, re.M)[1]

    def download(self, packages, directory):
        directory.mkdir(parents=True)
        try:
            _run(["apt-get", *self.options, "-q", "download", *packages], cwd=directory)
        except subprocess.CalledProcessError as error:
            (self.root / "updated").unlink()  # the index may be older than the mirror's files
            raise Unavailable(f"cannot fetch {' '.join(packages)}: {error.stderr.strip()}") from error

    def _update(self):
        stamp = self.root / "updated"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < INDEX_AGE_S:
            return
        try:
            # Without Error-Mode apt-get update exits 0 although a suite is gone.
            _run(["apt-get", *self.options, "-q", "-oAPT::Update::Error-Mode=any", "update"])
        except subprocess.CalledProcessError as error:
            raise Unavailable(f"suite {self.suite}: {error.stderr.strip()}") from error
        stamp.touch()


def _mirror():
    """The archive that this system's apt is configured with."""
    targets = _run(["apt-get", "indextargets", "--format", "$(LABEL)|$(SITE)", "Created-By: Packages"])
    for line in targets.splitlines():
        label, _, site = line.partition("|")
        if label == "Debian":
            return site
    raise Unavailable("apt knows no Debian archive; run 'apt-get update' once")


def module_files(kernel, wanted):
    """Modules to insert, in order: pairs (name, uncompressed bytes). Built-in ones are left out.

    Returns (modules, names that this kernel does not have). Dependencies come from each module's own .modinfo:
    the packages have no modules.dep before they are configured.
    """
    builtin = {_module_name(line) for line in (kernel.modules / "modules.builtin").read_text().split()}
    files = {_module_name(path.name): path for path in kernel.modules.rglob("*.ko*")}
    ordered, missing = {}, []

    def add(name):
        if name in builtin or name in ordered:
            return
        if name not in files:
            missing.append(name)
            return
        data = _module_bytes(files[name])
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for dependency in filter(None, depends[1].decode().split(",") if depends else []):
            add(_module_name(dependency))
        ordered[name] = data

    for name in wanted:
        add(_module_name(name))
    return list(ordered.items()), missing


def _module_name(path):
    return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")


def _module_bytes(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


def _run(command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
