// SPDX-License-Identifier: Apache-2.0
#include "demo/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "demo/namespace.hpp"
#include "demo/traffic.hpp"
#include "kernel/cgroup_fs.hpp"

namespace twtrace::demo {
namespace {

const std::string kWeb = "web.service";
const std::string kQueue = "queue-worker.service";
const std::string kScheduler = "scheduler.service";
const std::vector<std::string> kServices = {kWeb, kQueue, kScheduler};

// Web and queue settle at (45 + 30) * 60 s = 4,500 buckets, below the limit of 5,000. The wave begins in second 3 and
// fills the rest by second 8: 8 * 75 + 5 * 900 = 5,100.
constexpr Pace kWebPace{45, 0, 0, 0};
constexpr Pace kQueuePace{30, 0, 0, 0};
constexpr Pace kAgentsPace{900, 3, 12, 60};

Exchange web() {
  return {8080, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello\n", Closer::kServer};
}
Exchange queue() { return {6379, "*2\r\n$4\r\nLPOP\r\n$4\r\njobs\r\n", "$3\r\njob\r\n", Closer::kClient}; }
Exchange reports() { return {9000, "report\n", "ok\n", Closer::kServer}; }

base::Result<Work> hold_namespace() {
  if (auto entered = enter_new_namespace(kLimit); !entered) return tl::unexpected(entered.error());
  return Work([] {
    while (true) ::poll(nullptr, 0, -1);  // its filter does not allow pause(2)
  });
}

}  // namespace

base::Result<Stage> Stage::build(pid_t owner, Reduce reduce) {
  Stage stage;
  stage.reduce_ = std::move(reduce);
  stage.make_cgroups(owner);
  auto spawned = stage.spawn_all();
  if (!spawned && stage.cgroups_) {  // perhaps processes cannot be moved there
    stage.give_up_cgroups(spawned.error().what);
    spawned = stage.spawn_all();
  }
  if (!spawned) return tl::unexpected(spawned.error());
  return stage;
}

void Stage::give_up_cgroups(const std::string& reason) {
  children_.clear();
  cgroups_.reset();
  unnamed_ = reason;
}

/// Makes the cgroups in the hierarchy from which twtrace takes the names of services. Without one the demo still shows
/// everything else.
void Stage::make_cgroups(pid_t owner) {
  const auto hierarchies = kernel::CgroupFs::open(kernel::Procfs());
  if (!hierarchies || hierarchies->tree() == nullptr) {
    unnamed_ = "no cgroup hierarchy is mounted";
    return;
  }
  const std::filesystem::path& mount = hierarchies->tree()->mount_point();
  Cgroups::remove_stale(mount, owner, kServices);
  auto made = Cgroups::create(mount, owner, kServices);
  if (made) {
    cgroups_.emplace(std::move(*made));
  } else {
    unnamed_ = made.error().what;
  }
}

base::Result<void> Stage::spawn_all() {
  auto holder = Child::spawn({"demo-netns", {}, -1, hold_namespace, reduce_});
  if (!holder) return tl::unexpected(holder.error());
  const std::string pid = std::to_string(holder->pid());
  children_.push_back(std::move(*holder));
  const auto inode = namespace_inode(pid);
  if (!inode) return tl::unexpected(inode.error());
  netns_ = *inode;
  const base::UniqueFd netns(::open(("/proc/" + pid + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  const int saved_errno = errno;
  if (!netns) return base::fail_errno(saved_errno, "cannot open the demo's namespace");

  const auto cgroup = [this](const std::string& service) {
    return cgroups_ ? cgroups_->path(service) : std::filesystem::path();
  };
  const std::vector<Plan> plans = {
      {"demo-web", cgroup(kWeb), netns.get(), [] { return make_server(web()); }, reduce_},
      {"demo-redis", {}, netns.get(), [] { return make_server(queue()); }, reduce_},
      {"scheduler", cgroup(kScheduler), netns.get(), [] { return make_server(reports()); }, reduce_},
      {"demo-browsers", {}, netns.get(), [] { return make_client(web(), kWebPace); }, reduce_},
      {"queue-worker", cgroup(kQueue), netns.get(), [] { return make_client(queue(), kQueuePace); }, reduce_},
      {"demo-agents", {}, netns.get(), [] { return make_client(reports(), kAgentsPace); }, reduce_}};
  for (const Plan& plan : plans) {
    auto child = Child::spawn(plan);
    if (!child) return base::prepend(child.error(), plan.comm);
    children_.push_back(std::move(*child));
  }
  return {};
}

void Stage::begin() {
  for (Child& child : children_) child.start();
}

std::string Stage::explanation() {
  return fmt::format(
      "demo: a private network namespace with tcp_max_tw_buckets={}; nothing else on this host is touched\n"
      "demo: {} ({}/s, server) and {} ({}/s, client) alone would level off at {} buckets\n"
      "demo: from second {}, agents hit {} ({}/s for {} s, once a minute): the table is full at about second 8\n",
      kLimit, kWeb, kWebPace.per_s, kQueue, kQueuePace.per_s, (kWebPace.per_s + kQueuePace.per_s) * 60,
      kAgentsPace.first_s, kScheduler, kAgentsPace.per_s, kAgentsPace.length_s);
}

}  // namespace twtrace::demo
