// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.hpp"

#include <algorithm>
#include <array>

#include "target.hpp"

namespace twtrace::fuzz {
namespace {

constexpr std::array<std::string_view, 12> kKinds = {"systemd", "docker",     "podman", "containerd",
                                                     "cri-o",   "kubernetes", "lxc",    "nspawn",
                                                     "slurm",   "garden",     "cgroup", "unknown"};

void run(Bytes bytes) {
  const base::Service service = kernel::classify_cgroup(text(bytes));
  require(std::find(kKinds.begin(), kKinds.end(), service.kind) != kKinds.end(), "the kind is one of the documented");
  require((service.kind == "unknown") == bytes.empty(), "only an empty path is unknown");
  require(bytes.empty() || !service.name.empty(), "a path has a name");
  require(service.cgroup.size() <= bytes.size(), "the path is a part of the input");
  require(service.container.size() <= bytes.size(), "a container's id is a part of the input");
  require(service.inner_bytes <= service.cgroup.size(), "the service's cgroup is a part of the path");
  for (const char* controllers : {"", "name=systemd", "cpu"}) {
    const auto path = kernel::process_cgroup(text(bytes), controllers);
    require(!path || path->size() <= bytes.size(), "the path is a part of the input");
    if (path) static_cast<void>(kernel::classify_cgroup(*path));
  }
}

}  // namespace

Target cgroup_target() {
  const std::string id(64, 'a');
  return {
      "cgroup",
      run,
      {"/system.slice/nginx.service", "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
       "/system.slice/docker-" + id + ".scope", "/docker/" + id,
       "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice/"
       "cri-containerd-" +
           id + ".scope",
       "/kubepods/besteffort/pod01234567-89ab-cdef-0123-456789abcdef/" + id, "/lxc.payload.web1/system.slice/x.service",
       "/lxc/101/ns/system.slice/docker-" + id + ".scope", "/machine.slice/machine-web\\x2d1.scope/payload/init.scope",
       "/system.slice/slurmstepd.scope/job_71/step_0/user/task_0",
       "/system.slice/garden.service/garden/good/01234567-89ab-cdef-0123-4567", "/testing/web",
       "/machine.slice/libpod-" + id + ".scope/container", "/a/b/system.slice:cri-containerd:" + id,
       "0::/system.slice/x.service (deleted)\n1:name=systemd:/init.scope\n4:cpu,cpuacct:/\n"},
      50'000};
}

}  // namespace twtrace::fuzz
