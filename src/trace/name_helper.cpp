// SPDX-License-Identifier: Apache-2.0
#include "trace/name_helper.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
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
constexpr int kSocket = STDERR_FILENO + 1;  // in the helper

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

/// Nothing of the other process stays open: a reader of its output must see the end when that process ends.
bool keep_only_socket(int socket) {
  if (::dup2(socket, kSocket) < 0) return false;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return false;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(null, fd) < 0) return false;
  }
  return ::syscall(SYS_close_range, kSocket + 1, ~0U, 0) == 0;  // 5.9
}

/// Signals of the terminal are for the other process, whose end is the helper's end.
[[noreturn]] void serve(int socket, pid_t parent) {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::prctl(PR_SET_NAME, kComm);
  Reduction reduction;
  if (::geteuid() == 0) reduction.account = nobody();
  reduction.duties = {Duty::kWatch};
  if (!keep_only_socket(socket) || !reduce_privileges(reduction)) ::_exit(1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of the user clears it
  if (::getppid() != parent) ::_exit(1);
  Answers answers;
  while (auto question = base::receive_fields(kSocket)) {
    if (!base::send_fields(kSocket, answers.answer(std::move(*question)))) break;
  }
  ::_exit(0);
}

}  // namespace

base::Result<std::shared_ptr<NameHelper>> NameHelper::start() {
  const auto held = kernel::effective_capabilities(kernel::Procfs());
  if (!held || keep_for({Duty::kWatch}, *held) == kernel::CapabilitySet{}) return nullptr;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::fail_errno(errno, "cannot make a socket pair");
  }
  base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  const int saved_errno = errno;
  if (pid < 0) return base::fail_errno(saved_errno, "cannot start a process that looks up names");
  if (pid == 0) serve(theirs.get(), parent);
  return std::shared_ptr<NameHelper>(new NameHelper(std::move(ours), pid));
}

NameHelper::~NameHelper() {
  if (socket_) ::shutdown(socket_.get(), SHUT_RDWR);  // a process that was forked later may hold it, too
  socket_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<Fields> NameHelper::ask(const char* what, Fields fields) {
  if (!socket_) return std::nullopt;
  fields.insert(fields.begin(), what);
  auto answer = base::send_fields(socket_.get(), fields) ? base::receive_fields(socket_.get()) : std::nullopt;
  if (!answer) {
    spdlog::warn("the process that looks up names has ended: some containers and namespaces stay without a name");
    socket_.reset();
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
