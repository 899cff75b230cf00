// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.hpp"

#include <random>
#include <string>

#include "support/catch.hpp"

using namespace twtrace::kernel;
using namespace std::string_literals;

namespace {

const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kNodeId = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeedf00dfeed";
const std::string kUid = "8f2b1c4d-1111-2222-3333-444455556666";
const std::string kSliceUid = "8f2b1c4d_1111_2222_3333_444455556666";
const std::string kStaticUid = "0123456789abcdef0123456789abcdef";

void check_unit(const std::string& path, const std::string& name) {
  CAPTURE(path);
  const auto service = classify_cgroup(path);
  CHECK(service.kind == "systemd");
  CHECK(service.name == name);
  CHECK(service.cgroup == path);
  CHECK(service.container.empty());
  CHECK(service.pod.empty());
}

void check_container(const std::string& path, const std::string& kind, const std::string& id = kId) {
  CAPTURE(path);
  const auto service = classify_cgroup(path);
  CHECK(service.kind == kind);
  CHECK(service.name == id.substr(0, 12));
  CHECK(service.container == id);
  CHECK(service.cgroup == path);
  CHECK(service.pod.empty());
}

void check_pod(const std::string& path, const std::string& uid, const std::string& container = kId) {
  CAPTURE(path);
  const auto service = classify_cgroup(path);
  CHECK(service.kind == "kubernetes");
  CHECK(service.pod == uid);
  CHECK(service.container == container);
  const std::string suffix = container.empty() ? "" : "/" + container.substr(0, 12);
  CHECK(service.name == "pod" + uid.substr(0, 8) + suffix);
}

void check_plain(const std::string& path) {
  CAPTURE(path);
  const auto service = classify_cgroup(path);
  CHECK(service.kind == "cgroup");
  CHECK(service.name == path);
  CHECK(service.cgroup == path);
  CHECK(service.container.empty());
  CHECK(service.pod.empty());
}

}  // namespace

TEST_CASE("systemd units, found as systemd finds them") {
  check_unit("/system.slice/nginx.service", "nginx.service");
  check_unit("/system.slice/foo.service/worker", "foo.service");
  check_unit("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service");
  check_unit("/system.slice/a\\x2db.service", "a\\x2db.service");
  check_unit("/init.scope", "init.scope");
  check_unit("/system.slice/docker.service", "docker.service");
  check_unit("/system.slice/docker.socket", "docker.socket");
  check_unit("/user.slice/user-1000.slice/session-3.scope", "session-3.scope");
  check_unit("/user.slice/user-1000.slice/user@1000.service", "user@1000.service");
  check_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service");
  check_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service/x.scope", "foo.service");
  check_unit("/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope");
  check_unit("/twtrace-test/web.service", "web.service");
  check_unit("/system.slice/_memory.service", "memory.service");
  check_unit("/system.slice/__x.service", "_x.service");
}

TEST_CASE("a delegated unit cannot pass for another one") {
  check_unit("/system.slice/evil.service/system.slice/sshd.service", "evil.service");
  check_container("/system.slice/docker-" + kId + ".scope/system.slice/sshd.service", "docker");
}

TEST_CASE("containers of every runtime and cgroup driver") {
  check_container("/system.slice/docker-" + kId + ".scope", "docker");
  check_container("/docker/" + kId, "docker");
  check_container("/docker/" + kNodeId + "/docker/" + kId, "docker");
  check_container("/system.slice:docker:" + kId, "docker");
  check_container("/user.slice/user-1000.slice/user@1000.service/app.slice/docker-" + kId + ".scope", "docker");
  check_container("/machine.slice/libpod-" + kId + ".scope", "podman");
  check_container("/machine.slice/libpod-" + kId + ".scope/container", "podman");
  check_container("/machine.slice/libpod-conmon-" + kId + ".scope", "podman");
  check_container("/libpod_parent/libpod-" + kId, "podman");
  check_container("/libpod_parent/libpod-" + kId + "/container", "podman");
  check_container("/system.slice/web.service/libpod-payload-" + kId, "podman");
  check_container("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope/container",
                  "podman");
  check_container("/system.slice/cri-containerd-" + kId + ".scope", "containerd");
  check_container("/system.slice/nerdctl-" + kId + ".scope", "containerd");
  check_container("/default/" + kId, "containerd");
  check_container("/k8s.io/" + kId, "containerd");
  check_container("/system.slice/crio-" + kId + ".scope", "cri-o");
  check_container("/crio-" + kId, "cri-o");
  check_container("/crio-" + kId + "/container", "cri-o");
  check_container("/machine.slice/crio-conmon-" + kId + ".scope", "cri-o");
}

TEST_CASE("pods, whatever the driver, the class and what is around them") {
  const std::string burstable =
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kSliceUid + ".slice";
  const std::string guaranteed = "/kubepods.slice/kubepods-pod" + kSliceUid + ".slice";
  check_pod(burstable + "/cri-containerd-" + kId + ".scope", kUid);
  check_pod(burstable + "/crio-" + kId + ".scope/container", kUid);
  check_pod(burstable + "/crio-conmon-" + kId + ".scope", kUid);
  check_pod(burstable + "/docker-" + kId + ".scope", kUid);
  check_pod(burstable + "/" + kId, kUid);
  check_pod(guaranteed + "/cri-containerd-" + kId + ".scope", kUid);
  check_pod(guaranteed + "/cri-containerd-" + kId + ".scope/system.slice/sshd.service", kUid);
  check_pod(guaranteed, kUid, "");
  check_pod("/kubepods/burstable/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/besteffort/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/pod" + kUid + "/crio-" + kId, kUid);
  check_pod("/kubepods/burstable/pod" + kStaticUid + "/" + kId, kStaticUid);
  check_pod("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kSliceUid + ".slice/cri-containerd-" + kId +
                ".scope",
            kUid);
  check_pod("/docker/" + kNodeId + "/kubelet/kubepods/burstable/pod" + kUid + "/" + kId, kUid);
  check_pod("/docker/" + kNodeId + "/kubelet/kubepods/burstable/pod" + kUid, kUid, "");
  check_pod("/system.slice/docker-" + kNodeId + ".scope" + burstable + "/cri-containerd-" + kId + ".scope", kUid);
  check_pod("/system.slice/containerd.service/kubepods-burstable-pod" + kSliceUid + ".slice:cri-containerd:" + kId,
            kUid);
}

TEST_CASE("what is none of these is its path") {
  check_plain("/");
  check_plain("/user.slice/user-1000.slice");
  check_plain("/.service");
  check_plain("/a/.scope");
  check_plain("/docker/buildkit");
  check_plain("/docker/" + kId.substr(1));
  check_plain("/docker/" + kId + "0");
  check_plain("/other/" + kId);
  check_plain("/docker-xyz");
  check_plain("/docker-0123");
  check_plain("/pod" + kUid + "/" + kId);       // not below kubepods
  check_plain("/kubepods/podx" + kUid + "/x");  // no uid
  check_plain("/kubepods/burstable/pod8f2b1c4d/x");
  check_plain("/x-pod" + kSliceUid + ".slice");
  check_plain("/pod" + kSliceUid + ".slice");
  check_plain("/a:docker:xyz");
  check_plain("/a:b");
  check_plain("/a:unknown:" + kId);
  check_plain("///");
  check_plain("/\xff\x1b[2J\n\t");
  CHECK(classify_cgroup("/\0.x"s).name == "/\0.x"s);
}

TEST_CASE("an empty path is unknown") { CHECK(classify_cgroup("") == twtrace::base::Service{}); }

TEST_CASE("long paths are bounded and keep their leaf") {
  const auto service = classify_cgroup("/" + std::string(100'000, 'a') + "/docker-" + kId + ".scope");
  CHECK(service.kind == "docker");
  CHECK(service.cgroup.size() == kMaxCgroupPathBytes);
  CHECK(service.cgroup.ends_with(kId + ".scope"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "/a.b";
  CHECK(classify_cgroup(deep).name.size() == kMaxCgroupPathBytes);
}

TEST_CASE("any bytes are classified, and classified again alike") {
  const std::string parts[] = {"/",    "docker", "docker-", ".scope",  ".service", "kubepods",
                               "-pod", "pod",    kUid,      kSliceUid, ".slice",   ":",
                               kId,    "user@",  "_",       "\xff",    "\0"s,      "libpod-"};
  const std::string kinds = " systemd docker containerd cri-o podman kubernetes cgroup ";
  std::mt19937 random(4711);
  for (int round = 0; round < 20'000; ++round) {
    std::string path = "/";
    for (auto n = random() % 12; n > 0; --n) path += parts[random() % std::size(parts)];
    const auto service = classify_cgroup(path);
    REQUIRE(kinds.find(" " + service.kind + " ") != std::string::npos);
    REQUIRE_FALSE(service.name.empty());
    REQUIRE(service.cgroup == path);
    REQUIRE((service.kind == "kubernetes") == !service.pod.empty());
    REQUIRE(classify_cgroup(service.cgroup) == service);
  }
}

TEST_CASE("process_cgroup picks the hierarchy") {
  const std::string hybrid = "9:name=systemd:/init.scope\n4:memory:/a\n0::/b:c (deleted)\n";
  CHECK(process_cgroup(hybrid, "") == "/b:c");
  CHECK(process_cgroup(hybrid, "name=systemd") == "/init.scope");
  CHECK(process_cgroup(hybrid, "memory") == "/a");
  CHECK_FALSE(process_cgroup(hybrid, "pids"));
  CHECK_FALSE(process_cgroup("5::/x\n", ""));
  CHECK_FALSE(process_cgroup("0::", ""));
  CHECK_FALSE(process_cgroup("", ""));
}
