// SPDX-License-Identifier: Apache-2.0
#include "trace/name_helper.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "kernel/cgroup_fs.hpp"
#include "kernel/containers.hpp"
#include "kernel/text.hpp"
#include "trace/least_privilege.hpp"

namespace twtrace::trace {
namespace {

using std::chrono::milliseconds;

/// What one sample may take longer.
constexpr milliseconds kMostWait{1000};

constexpr const char* kComm = "twtrace-names";
constexpr const char* kCgroup = "cgroup";
constexpr const char* kContainer = "container";
constexpr const char* kNamespaces = "namespaces";

Patience::Duration now() { return std::chrono::steady_clock::now().time_since_epoch(); }

milliseconds whole_ms(Patience::Duration duration) { return std::chrono::duration_cast<milliseconds>(duration); }

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

NameHelper::NameHelper(HelperProcess process) : process_(std::move(process)), patience_(kMostWait) {}

void NameHelper::tell_if_ended() {
  if (process_.answers()) return;
  spdlog::warn("the process that looks up names has ended: some containers and namespaces stay without a name");
}

bool NameHelper::is_late() {
  if (process_.owes_answer()) {
    auto late = process_.answer(milliseconds(0));
    if (late && searches_) late_search_ = std::move(late);
    tell_if_ended();
  }
  return process_.owes_answer() || whole_ms(patience_.left(now())) == milliseconds(0);
}

std::optional<Fields> NameHelper::ask(const char* what, Fields fields) {
  if (!process_.answers() || is_late() || !process_.answers()) return std::nullopt;
  fields.insert(fields.begin(), what);
  searches_ = what == kNamespaces;
  const auto begin = now();
  const milliseconds limit = whole_ms(patience_.left(begin));
  process_.ask(fields);
  auto answer = process_.answer(limit);
  patience_.waited(begin, now());
  tell_if_ended();
  if (process_.owes_answer() && !told_late_ && limit >= kMostWait / 2) {
    told_late_ = true;
    spdlog::warn(
        "the process that looks up names ({}, pid {}) does not answer: containers and namespaces get no name "
        "until it does",
        kComm, process_.pid());
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

std::optional<NameHelper::Found> NameHelper::namespaces(kernel::NetnsSearch search) {
  const auto answer = ask(kNamespaces, {search.mount_namespaces ? "1" : "0", search.open_files ? "1" : "0"});
  if (!process_.answers()) return std::nullopt;
  if (answer) late_search_.reset();
  const auto late = std::exchange(late_search_, std::nullopt);
  if (answer) return Found{trace::namespaces(*answer), true};
  return Found{late ? trace::namespaces(*late) : std::nullopt, false};
}

}  // namespace twtrace::trace
