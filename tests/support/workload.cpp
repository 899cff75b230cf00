// SPDX-License-Identifier: Apache-2.0
#include "support/workload.hpp"

#include <stdexcept>
#include <vector>

#include "support/environment.hpp"

namespace twtrace::test {
namespace {

void add(std::vector<std::string>& argv, const std::string& flag, const CgroupSandbox* cgroup) {
  if (cgroup != nullptr) argv.insert(argv.end(), {flag, cgroup->directory()});
}

void add(std::vector<std::string>& argv, const std::string& flag, int value) {
  if (value >= 0) argv.insert(argv.end(), {flag, std::to_string(value)});
}

std::vector<std::string> command_line(const WorkloadSpec& spec) {
  std::vector<std::string> argv = {workload_binary(), spec.mode, "--family", spec.family};
  add(argv, "--count", spec.count);
  add(argv, "--port", spec.port);
  add(argv, "--cgroup-server", spec.server_cgroup);
  add(argv, "--cgroup-client", spec.client_cgroup);
  add(argv, "--uid-server", spec.server_uid);
  add(argv, "--uid-client", spec.client_uid);
  add(argv, "--cpu", spec.cpu);
  add(argv, "--cgroup-child", spec.child_cgroup);
  return argv;
}

}  // namespace

Workload::Workload(const WorkloadSpec& spec, const NetnsSandbox& netns)
    : process_(command_line(spec), netns.fd()), netns_(netns.fd()) {}

void Workload::wait_held() {
  if (!process_.wait_for_output("{\"held\":true}")) {
    throw std::runtime_error("workload does not hold: " + process_.standard_error());
  }
}

nlohmann::json Workload::finish() {
  const std::optional<int> code = process_.wait();
  if (code != 0) throw std::runtime_error(failure(code));
  const std::string output = process_.standard_output();
  return nlohmann::json::parse(output.substr(output.find("{\"mode\"")));
}

std::string Workload::failure(std::optional<int> code) const {
  Subprocess kernel({"cat", "/proc/net/netstat", "/proc/net/snmp", "/proc/net/tcp", "/proc/net/tcp6"}, netns_);
  kernel.wait();
  return "workload " + (code ? "failed with " + std::to_string(*code) : std::string("hangs")) + ": " +
         process_.standard_error() + "\nthe kernel there says:\n" + kernel.standard_output();
}

Sysctls split_substates() { return {{"tcp_fin_timeout", exact_under_steering() ? "60" : "4"}}; }

void Arena::run() {
  workload = Workload(spec, netns).finish();
  read_after();
}

}  // namespace twtrace::test
