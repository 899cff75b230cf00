#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packages, container and DaemonSet: what can be checked without building, an engine or a cluster."""

import json
import pathlib
import re
import unittest

import yaml

TREE = pathlib.Path(__file__).resolve().parents[3]
PACKAGING = TREE / "packaging"


def version_of_tree():
    return re.search(r"project\(twtrace VERSION (\S+)", (TREE / "CMakeLists.txt").read_text(encoding="utf-8"))[1]


class Unique(yaml.SafeLoader):
    """Refuses a key that occurs twice, which YAML parsers accept silently."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key occurs twice{node.start_mark}")
        return super().construct_mapping(node, deep)


class DaemonSet(unittest.TestCase):
    # What this file uses of the API. Kubernetes refuses, or worse ignores, a misspelt field.
    FIELDS = {
        "": {"apiVersion", "kind", "metadata", "spec"},
        "metadata": {"name", "namespace", "labels"},
        "spec": {"selector", "template"},
        "spec.template": {"metadata", "spec"},
        "spec.template.metadata": {"labels"},
        "spec.template.spec": {"hostPID", "automountServiceAccountToken", "enableServiceLinks", "nodeSelector", "tolerations",
                               "containers", "volumes"},
        "container": {"name", "image", "args", "securityContext", "resources", "volumeMounts"},
        "securityContext": {"runAsUser", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities",
                            "seccompProfile"},
        "volumeMount": {"name", "mountPath", "readOnly"},
        "volume": {"name", "hostPath"},
        "hostPath": {"path", "type"},
    }

    def setUp(self):
        self.document = yaml.load((PACKAGING / "kubernetes/daemonset.yaml").read_text(encoding="utf-8"), Unique)
        self.pod = self.document["spec"]["template"]["spec"]
        self.container, = self.pod["containers"]

    def known(self, where, value):
        self.assertLessEqual(set(value), self.FIELDS[where], where)

    def test_every_field_is_one_of_the_api(self):
        document = self.document
        self.assertEqual((document["apiVersion"], document["kind"]), ("apps/v1", "DaemonSet"))
        self.known("", document)
        for path in ("metadata", "spec", "spec.template", "spec.template.metadata", "spec.template.spec"):
            value = document
            for part in path.split("."):
                value = value[part]
            self.known(path, value)
        self.known("container", self.container)
        self.known("securityContext", self.container["securityContext"])
        for mount in self.container["volumeMounts"]:
            self.known("volumeMount", mount)
        for volume in self.pod["volumes"]:
            self.known("volume", volume)
            self.known("hostPath", volume["hostPath"])

    def test_it_runs_on_every_node_with_linux_and_on_no_other(self):
        self.assertEqual(self.pod["nodeSelector"], {"kubernetes.io/os": "linux"})
        self.assertEqual(self.pod["tolerations"], [{"operator": "Exists"}])

    def test_the_selector_finds_its_own_pods(self):
        spec = self.document["spec"]
        self.assertLessEqual(spec["selector"]["matchLabels"].items(), spec["template"]["metadata"]["labels"].items())

    def test_the_container_may_do_two_things(self):
        security = self.container["securityContext"]
        self.assertEqual(security["capabilities"], {"drop": ["ALL"], "add": ["BPF", "PERFMON"]})
        self.assertIs(security["allowPrivilegeEscalation"], False)
        self.assertIs(security["readOnlyRootFilesystem"], True)
        self.assertIs(self.pod["hostPID"], True)
        self.assertIs(self.pod["automountServiceAccountToken"], False)

    def test_what_is_mounted_is_declared_and_writable_only_for_the_textfile(self):
        mounts = {mount["name"]: mount for mount in self.container["volumeMounts"]}
        self.assertEqual(set(mounts), {volume["name"] for volume in self.pod["volumes"]})
        writable = [mount["mountPath"] for mount in mounts.values() if not mount.get("readOnly")]
        self.assertEqual(writable, ["/textfile"])
        arguments = self.container["args"]
        self.assertTrue(arguments[arguments.index("--textfile") + 1].startswith("/textfile/"))

    def test_arguments_are_strings(self):
        self.assertEqual({type(argument) for argument in self.container["args"]}, {str})

    def test_the_image_has_the_version_of_the_tree(self):
        self.assertTrue(self.container["image"].endswith(f":{version_of_tree()}"))


class Debian(unittest.TestCase):
    ESSENTIAL = {"g++", "linux-libc-dev"}  # in every build environment of Debian

    def setUp(self):
        self.control = (TREE / "debian/control").read_text(encoding="utf-8")

    def test_a_package_needs_what_scripts_setup_installs(self):
        text = re.search(r"^build_packages=\((.*?)^\)", (TREE / "scripts/setup").read_text(encoding="utf-8"), re.M | re.S)[1]
        wanted = {word.strip("'").split("|")[0] for word in re.sub("#.*", "", text).split()} - self.ESSENTIAL
        field = re.search(r"^Build-Depends: (.*?)^\S", self.control, re.M | re.S)[1]
        depends = {re.sub(r" *\(.*\)", "", word.strip()) for word in field.split(",")} - {"debhelper-compat"}
        self.assertEqual(depends, wanted)

    def test_the_changelog_has_the_version_of_the_tree(self):
        changelog = (TREE / "debian/changelog").read_text(encoding="utf-8")
        self.assertEqual(re.match(r"twtrace \((.*?)\) ", changelog)[1], version_of_tree())

    def test_the_unit_is_that_of_the_tree(self):
        self.assertEqual((TREE / "debian/twtrace-exporter.service").resolve(), PACKAGING / "systemd/twtrace-exporter.service")


class Dockerfile(unittest.TestCase):
    def setUp(self):
        text = (PACKAGING / "container/Dockerfile").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.instructions = [tuple(line.split(" ", 1)) for line in lines]

    def test_the_image_is_the_static_program_alone(self):
        start = max(i for i, (name, _) in enumerate(self.instructions) if name == "FROM")
        last = self.instructions[start:]
        self.assertEqual(last[0][1], "scratch")
        self.assertEqual([name for name, _ in last], ["FROM", "COPY", "ENTRYPOINT", "CMD"])
        self.assertEqual(last[1][1], "--from=build /twtrace/build/static/twtrace /twtrace")
        self.assertEqual(json.loads(last[2][1]), ["/twtrace"])
        json.loads(last[3][1])

    def test_the_commands_of_the_build_exist(self):
        for name, arguments in self.instructions:
            for command in re.findall(r"scripts/\w+", arguments if name == "RUN" else ""):
                self.assertTrue((TREE / command).is_file(), command)
        presets = json.loads((TREE / "CMakePresets.json").read_text(encoding="utf-8"))
        self.assertIn("static", {preset["name"] for preset in presets["configurePresets"]})


if __name__ == "__main__":
    unittest.main()
