// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.hpp"

#include <random>
#include <string>
#include <vector>

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
  CHECK(service.pod == twtrace::base::Pod{"", "", uid});
  CHECK(service.container == container);
  const std::string suffix = container.empty() ? "" : "/" + container.substr(0, 12);
  CHECK(service.name == "pod" + uid.substr(0, 8) + suffix);
}

void check_nested(const std::string& path, const std::string& kind, const std::string& name,
                  const std::string& container) {
  CAPTURE(path);
  const auto service = classify_cgroup(path);
  CHECK(service.kind == kind);
  CHECK(service.name == name);
  CHECK(service.container == container);
  CHECK(service.cgroup == path);
}

void check_named(const std::string& path, const std::string& kind, const std::string& name) {
  check_nested(path, kind, name, name);
}

void check_job(const std::string& path, const std::string& name) { check_nested(path, "slurm", name, ""); }

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
  const std::string inside = "/docker/" + kId + "/system.slice/evil.service/docker/" + kNodeId;
  CHECK(classify_cgroup(inside).name == "0123456789ab/f00dfeedf00d");
}

TEST_CASE("containers of every runtime and cgroup driver") {
  check_container("/system.slice/docker-" + kId + ".scope", "docker");
  check_container("/docker/" + kId, "docker");
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
  check_pod(guaranteed, kUid, "");
  check_pod("/kubepods/burstable/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/besteffort/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/pod" + kUid + "/" + kId, kUid);
  check_pod("/kubepods/pod" + kUid + "/crio-" + kId, kUid);
  check_pod("/kubepods/burstable/pod" + kStaticUid + "/" + kId, kStaticUid);
  check_pod("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + kSliceUid + ".slice/cri-containerd-" + kId +
                ".scope",
            kUid);
  check_pod("/system.slice/containerd.service/kubepods-burstable-pod" + kSliceUid + ".slice:cri-containerd:" + kId,
            kUid);
}

TEST_CASE("machines and jobs are called by their names") {
  check_named("/lxc.payload.web1", "lxc", "web1");
  check_named("/lxc.payload.web1/.lxc", "lxc", "web1");
  check_named("/lxc.monitor.web1", "lxc", "web1");
  check_named("/lxc.payload/web1", "lxc", "web1");
  check_named("/lxc/101/ns", "lxc", "101");
  check_named("/lxc/lxc/lxc", "lxc", "lxc");
  check_named("/user.slice/user-1000.slice/user@1000.service/user.slice/lxc-web1.scope/lxc.payload.web1", "lxc",
              "web1");
  check_named("/machine.slice/machine-lxc\\x2d4021\\x2dweb\\x2d1.scope", "lxc", "web-1");
  check_named("/machine.slice/machine-web\\x2d1.scope/payload", "nspawn", "web-1");
  check_named("/machine.slice/systemd-nspawn@web1.service/payload", "nspawn", "web1");
  check_named("/garden/8f2b1c4d-1111-2222-3333-4444", "garden", "8f2b1c4d-1111-2222-3333-4444");
  check_named("/system.slice/garden.service/garden/good/" + kUid, "garden", kUid);
  check_named("/garden-z1/" + kUid + "/x", "garden", kUid);
  check_job("/system.slice/slurmstepd.scope/job_71/step_0/user/task_0", "job_71/step_0");
  check_job("/system.slice/n1_slurmstepd.scope/job_71/step_batch/user", "job_71/step_batch");
  check_job("/system.slice/slurmstepd.scope/job_71", "job_71");
  check_job("/slurm/uid_1000/job_71/step_extern/task_0", "job_71/step_extern");
  check_job("/slurm_n1/uid_1000/job_71/x/step_0", "job_71");
  check_unit("/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope/libvirt/emulator", "machine-qemu\\x2d1\\x2dvm1.scope");
}

TEST_CASE("the outer name stands in front of the inner one") {
  const std::string docker = "/system.slice/docker-" + kNodeId + ".scope";
  const std::string in_pod = "/kubepods/burstable/pod" + kUid + "/" + kId;
  check_nested("/lxc.payload.web1/system.slice/nginx.service", "lxc", "web1/nginx.service", "web1");
  check_nested("/lxc/101/ns/init.scope", "lxc", "101/init.scope", "101");
  check_nested("/lxc/101/ns/system.slice/docker-" + kId + ".scope", "docker", "101/0123456789ab", kId);
  check_nested("/lxc.payload.a/lxc.payload.b/system.slice/x.service", "lxc", "a/b/x.service", "b");
  check_nested("/machine.slice/machine-web1.scope/payload/system.slice/ssh.service", "nspawn", "web1/ssh.service",
               "web1");
  check_nested(docker + "/system.slice/sshd.service", "docker", "f00dfeedf00d/sshd.service", kNodeId);
  check_nested(docker + "/user.slice/user-0.slice/user@0.service/app.slice/x.service", "docker",
               "f00dfeedf00d/x.service", kNodeId);
  check_nested("/docker/" + kNodeId + "/docker/" + kId, "docker", "f00dfeedf00d/0123456789ab", kId);
  check_nested("/docker/" + kNodeId + "/kubelet" + in_pod, "kubernetes", "f00dfeedf00d/pod8f2b1c4d/0123456789ab", kId);
  check_nested(docker + "/kubepods.slice/kubepods-pod" + kSliceUid + ".slice/crio-" + kId + ".scope/init.scope",
               "kubernetes", "f00dfeedf00d/pod8f2b1c4d/0123456789ab/init.scope", kId);
  check_nested(in_pod + "/docker/" + kNodeId, "docker", "pod8f2b1c4d/0123456789ab/f00dfeedf00d", kNodeId);
  CHECK(classify_cgroup(in_pod + "/docker/" + kNodeId).pod.uid == kUid);
}

TEST_CASE("a service is one whatever sub-cgroups it has") {
  const auto own = [](const std::string& path) { return std::string(classify_cgroup(path).own_cgroup()); };
  CHECK(own("/system.slice/foo.service/worker/1") == "/system.slice/foo.service");
  CHECK(own("/system.slice/foo.service") == "/system.slice/foo.service");
  CHECK(own("/system.slice/foo.service/") == "/system.slice/foo.service");
  CHECK(own("/a//b.service//c") == "/a//b.service");
  CHECK(own("/machine.slice/libpod-" + kId + ".scope/container") == "/machine.slice/libpod-" + kId + ".scope");
  CHECK(own("/slurmstepd.scope/job_1/step_0/user/task_3") == "/slurmstepd.scope/job_1/step_0");
  CHECK(own("/slurmstepd.scope/job_1//step_0") == "/slurmstepd.scope/job_1");
  CHECK(own("/lxc.payload.a/.lxc") == "/lxc.payload.a");
  CHECK(own("/lxc.payload.a/system.slice/x.service/y") == "/lxc.payload.a/system.slice/x.service");
  CHECK(own("/kubepods/pod" + kUid + "/" + kId + "/x") == "/kubepods/pod" + kUid + "/" + kId);
  CHECK(own("/some/where") == "/some/where");
  CHECK(own("/") == "/");

  using twtrace::base::is_same;
  CHECK(is_same(classify_cgroup("/a/w.service/1"), classify_cgroup("/a/w.service/2")));
  CHECK_FALSE(is_same(classify_cgroup("/a/w.service"), classify_cgroup("/b/w.service")));
  CHECK_FALSE(is_same(classify_cgroup("/lxc.payload.a/w.service"), classify_cgroup("/lxc.payload.b/w.service")));
}

TEST_CASE("the engine's name takes the place of the id") {
  std::vector<ContainerQuery> asked;
  ContainerFacts answer{.engine = "docker", .name = "web", .pod = {}};
  const auto named = [&](const std::string& path) {
    asked.clear();
    return classify_cgroup(path, [&](const ContainerQuery& query) {
      asked.push_back(query);
      return std::optional(answer);
    });
  };
  auto service = named("/system.slice/docker-" + kId + ".scope/system.slice/sshd.service");
  CHECK(service.name == "web/sshd.service");
  CHECK(service.container == kId);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].id == kId);
  CHECK(asked[0].cgroup == "/system.slice/docker-" + kId + ".scope");
  CHECK_FALSE(asked[0].uid);

  CHECK(named("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope").name == "web");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].uid == 1000U);
  CHECK(named("/user.slice/user-0.slice/session-1.scope/docker/" + kId).name == "web");
  CHECK_FALSE(asked.at(0).uid);

  // Only the outermost counts, because a process in a container can make any cgroup.
  CHECK(named("/docker/" + kNodeId + "/docker/" + kId).name == "web/0123456789ab");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].id == kNodeId);
  CHECK(named("/lxc.payload.vm/docker/" + kId).name == "vm/0123456789ab");
  CHECK(named("/slurmstepd.scope/job_1/docker/" + kId).name == "job_1/0123456789ab");
  CHECK(named("/system.slice/nginx.service").name == "nginx.service");
  CHECK(asked.empty());
}

TEST_CASE("pods are called namespace/pod/container") {
  ContainerFacts answer{.engine = "containerd", .name = "app", .pod = {"shop", "web-1", "other-uid"}};
  const std::string path = "/kubepods/besteffort/pod" + kUid + "/" + kId;
  const auto named = [&](const std::string& at) {
    return classify_cgroup(at, [&](const ContainerQuery& query) {
      return query.id.empty() || query.id == kId ? std::optional(answer) : std::nullopt;
    });
  };
  auto service = named(path + "/init.scope");
  CHECK(service.name == "shop/web-1/app/init.scope");
  CHECK(service.kind == "kubernetes");
  CHECK(service.pod == twtrace::base::Pod{"shop", "web-1", kUid});
  answer.name.clear();
  CHECK(named(path).name == "shop/web-1/0123456789ab");
  answer.sandbox = true;
  CHECK(named(path).name == "shop/web-1");
  CHECK(named("/kubepods/besteffort/pod" + kUid).name == "shop/web-1");
  answer.pod.ns.clear();
  CHECK(named(path).name == "web-1");
  answer = {.engine = "containerd", .name = "app", .pod = {}};
  CHECK(named(path).name == "pod8f2b1c4d/app");
  answer.pod = {"shop", "web-1", "uid-of-the-file"};  // a pod whose cgroup does not mention it
  service = named("/k8s.io/" + kId);
  CHECK(service.kind == "kubernetes");
  CHECK(service.name == "shop/web-1/app");
  CHECK(service.pod.uid == "uid-of-the-file");
}

TEST_CASE("a cgroup that may be a container's is one when an engine knows it") {
  std::vector<ContainerQuery> asked;
  const auto named = [&](const std::string& path, bool known) {
    asked.clear();
    return classify_cgroup(path, [&](const ContainerQuery& query) {
      asked.push_back(query);
      return known && query.id != "task" ? std::optional(ContainerFacts{.engine = "containerd", .name = {}, .pod = {}})
                                         : std::nullopt;
    });
  };
  auto service = named("/testing/web/system.slice/a.service", true);  // ctr -n testing run ... web
  CHECK(service.kind == "containerd");
  CHECK(service.name == "web/a.service");
  CHECK(service.container == "web");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].containerd_namespace == "testing");
  CHECK(asked[0].cgroup == "/testing/web");
  CHECK(named("/testing/web/sub", true).own_cgroup() == "/testing/web");
  CHECK(named("/testing/web", false).kind == "cgroup");
  CHECK(named("/testing/web/x/a.service", false).name == "a.service");
  CHECK(named("/testing", true).kind == "cgroup");

  CHECK(named("/ecs/task/" + kId, true).name == "0123456789ab");  // docker --cgroup-parent
  CHECK(asked.back().containerd_namespace.empty());
  CHECK(named("/ecs/task/" + kId, false).name == "/ecs/task/" + kId);
  CHECK(named("/a/b/" + kNodeId + "/" + kId, false).kind == "cgroup");
  CHECK(asked.size() == 2);
  CHECK(named("/system.slice/foo.service/" + kId, false).name == "foo.service");
  CHECK(named("/user.slice/user-1000.slice", true).kind == "cgroup");
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
  check_plain("/a/" + kId + "/docker");
  check_plain("/lxc");
  check_plain("/lxc.payload.");
  check_plain("/lxc.payload");
  check_plain("/job_71/step_0");  // no Slurm around it
  check_plain("/slurm/uid_1000");
  check_plain("/garden/init");
  check_plain("/app/8f2b1c4d-1111-2222-3333-4444");
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
  const std::string parts[] = {
      "/",       "docker",       "docker-",  ".scope", ".service", "kubepods", "-pod",   "pod",   kUid,
      kSliceUid, ".slice",       ":",        kId,      "user@",    "_",        "\xff",   "\0"s,   "libpod-",
      "lxc",     "lxc.payload.", "machine-", "slurm",  "uid_1",    "job_1",    "step_0", "garden"};
  const std::string kinds = " systemd docker containerd cri-o podman kubernetes lxc nspawn slurm garden cgroup ";
  std::mt19937 random(4711);
  for (int round = 0; round < 20'000; ++round) {
    std::string path = "/";
    for (auto n = random() % 12; n > 0; --n) path += parts[random() % std::size(parts)];
    const auto service = classify_cgroup(path);
    REQUIRE(kinds.find(" " + service.kind + " ") != std::string::npos);
    REQUIRE_FALSE(service.name.empty());
    REQUIRE(service.cgroup == path);
    REQUIRE((service.kind != "kubernetes" || !service.pod.uid.empty()));
    REQUIRE(service.inner_bytes <= path.size());
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

TEST_CASE("a container or pod has a name of its own, whatever runs in it") {
  const auto container = [](const std::string& path) { return twtrace::base::container_name(classify_cgroup(path)); };
  CHECK(container("/lxc.payload.web1") == "web1");
  CHECK(container("/lxc.payload.web1/system.slice/nginx.service") == "web1");
  CHECK(container("/lxc.payload.a/lxc.payload.b/system.slice/x.service") == "a/b");
  CHECK(container("/docker/" + kId) == kId.substr(0, 12));
  CHECK(container("/lxc.payload.vm/docker/" + kId) == "vm/" + kId.substr(0, 12));
  CHECK(container("/system.slice/nginx.service").empty());
  CHECK(container("/").empty());
  twtrace::base::Service service;
  service.name = "shop/web-0/nginx";
  service.container = kId;
  service.pod = {.ns = "shop", .name = "web-0", .uid = "0a1b2c3d"};
  CHECK(twtrace::base::container_name(service) == "shop/web-0");
  service.name = "pod0a1b2c3d/" + kId;
  service.pod = {.ns = "", .name = "", .uid = "0a1b2c3d"};
  CHECK(twtrace::base::container_name(service) == "pod0a1b2c3d");
}
