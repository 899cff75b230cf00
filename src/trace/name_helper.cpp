// SPDX-License-Identifier: Apache-2.0
#include "trace/name_helper.hpp"

#include <unistd.h>

#include <array>
#include <utility>

#include "base/log.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/containers.hpp"
#include "kernel/text.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::trace {
namespace {

constexpr const char* kComm = "twtrace-names";
constexpr const char* kCgroup = "cgroup";
constexpr const char* kContainer = "container";
constexpr const char* kNamespaces = "namespaces";

/// In the helper.
class Answers {
 public:
  Answers() {
    if (auto opened = kernel::CgroupFs::open(kernel::Procfs())) cgroups_ = std::move(*opened);
  }

  /// The first field says what the question is.
  Fields answer(Fields question) {
    if (question.empty()) return {};
    const std::string what = std::move(question.front());
    question.erase(question.begin());
    if (what == kCgroup) return cgroup(question);
    if (what == kNamespaces) return namespaces(question);
    const auto query = what == kContainer ? container_query(question) : std::nullopt;
    return query ? fields_of(kernel::find_container("/", *query)) : Fields{};
  }

 private:
  Fields cgroup(const Fields& question) const {
    const auto id = question.empty() ? std::nullopt : kernel::parse_number<std::uint64_t>(question.front());
    if (!id || !cgroups_) return {};
    auto path = cgroups_->path_of_id(*id);
    return path ? Fields{std::move(*path)} : Fields{};
  }

  Fields namespaces(const Fields& question) {
    kernel::NetnsSearch search;
    search.mount_namespaces = question.size() == 2 && question[0] == "1";
    search.open_files = question.size() == 2 && question[1] == "1";
    catalog_.refresh(search);
    return fields_of(catalog_.all());
  }

  std::optional<kernel::CgroupFs> cgroups_;
  kernel::NetnsCatalog catalog_;
};

void serve(int socket, pid_t parent) {
  Reduction reduction;
  if (::geteuid() == 0) reduction.account = nobody();
  reduction.duties = {Duty::kWatch};
  if (!keep_descriptors(std::array{socket}) || !reduce_privileges(reduction) || !end_with(parent)) return;
  Answers answers;
  while (auto question = base::receive_fields(kFirstKept)) {
    if (!base::send_fields(kFirstKept, answers.answer(std::move(*question)))) return;
  }
}

}  // namespace

base::Result<std::shared_ptr<NameHelper>> NameHelper::start() {
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  if (!held || keep_for({Duty::kWatch}, *held) == kernel::CapabilitySet{}) return nullptr;
  auto process = HelperProcess::start(kComm, serve);
  if (!process) return tl::unexpected(process.error());
  return std::shared_ptr<NameHelper>(new NameHelper(std::move(*process)));
}

std::optional<Fields> NameHelper::ask(const char* what, Fields fields) {
  if (!process_.answers()) return std::nullopt;
  fields.insert(fields.begin(), what);
  auto answer = process_.ask(fields);
  if (!answer) {
    spdlog::warn("the process that looks up names has ended: some containers and namespaces stay without a name");
  }
  return answer;
}

std::optional<std::string> NameHelper::path_of_cgroup(std::uint64_t id) {
  auto answer = ask(kCgroup, {std::to_string(id)});
  if (!answer || answer->size() != 1) return std::nullopt;
  return std::move(answer->front());
}

std::optional<kernel::ContainerFacts> NameHelper::container(const kernel::ContainerQuery& query) {
  const auto answer = ask(kContainer, fields_of(query));
  const auto facts = answer ? container_facts(*answer) : std::nullopt;
  return facts ? *facts : std::nullopt;
}

std::optional<std::map<std::uint32_t, kernel::NetnsRef>> NameHelper::namespaces(kernel::NetnsSearch search) {
  const auto answer = ask(kNamespaces, {search.mount_namespaces ? "1" : "0", search.open_files ? "1" : "0"});
  return answer ? trace::namespaces(*answer) : std::nullopt;
}

}  // namespace twtrace::trace
