// SPDX-License-Identifier: Apache-2.0
#include "trace/queue_table.hpp"

#include "netns_slot.hpp"
#include "support/catch.hpp"

using twtrace::trace::NamespaceDirectory;
using twtrace::trace::QueueTable;
namespace model = twtrace::model;

namespace {

/// A table, and a directory with one namespace.
struct Host {
  Host() : id(directory.add_slot(1, twtrace::test::netns_slot(77, 4026531840)).first) {}

  model::Identity owner(std::uint16_t port, std::int32_t pid = 1) const {
    model::Identity identity;
    identity.netns = id;
    identity.port = port;
    identity.pid = pid;
    identity.comm = "server";
    return identity;
  }
  std::vector<model::ListenQueue> queues() const { return table.queues(directory, 2.0); }

  NamespaceDirectory directory;
  NamespaceDirectory::Id id;
  QueueTable table;
};

}  // namespace

TEST_CASE("the sockets of a program's processes on one port are one queue, as full as the fullest") {
  Host host;
  tw_settings settings{};
  settings.somaxconn = 4096;
  settings.syn_backlog = TW_SETTING_UNKNOWN;
  host.table.count(host.owner(80, 1), 3);
  host.table.count(host.owner(80, 2), 4);
  host.table.see(host.owner(80, 1), {5, 16}, settings);
  host.table.see(host.owner(80, 2), {9, 32}, settings);
  host.table.see(host.owner(80, 2), {1, 64}, settings);
  host.table.see(host.owner(81), {1, 64}, settings);  // has dropped nothing
  host.table.end_look();
  host.table.end_interval();
  REQUIRE(host.queues().size() == 1);
  const model::ListenQueue queue = host.queues()[0];
  CHECK(queue.netns == 4026531840);
  CHECK(queue.netns_id == host.id);
  CHECK(queue.port == 80);
  CHECK(queue.comm == "server");
  CHECK(queue.drops == 7);
  CHECK(queue.drops_per_s == 3.5);
  CHECK(queue.queue.taken == 9);
  CHECK(queue.queue.of == 32);
  CHECK(queue.somaxconn == 4096);
  CHECK(queue.syn_backlog == std::nullopt);

  host.table.end_look();  // nobody listens any more
  host.table.end_interval();
  REQUIRE(host.queues().size() == 1);
  CHECK(host.queues()[0].queue.taken == 0);
  CHECK(host.queues()[0].drops == 7);
  CHECK(host.queues()[0].drops_per_s == 0);
}

TEST_CASE("of the queues on which nobody listens any more, those that dropped most are kept") {
  Host host;
  host.table.count(host.owner(1), 1);
  host.table.see(host.owner(1), {1, 2}, std::nullopt);
  for (std::uint16_t port = 1000; port < 3000; ++port) host.table.count(host.owner(port), port);
  host.table.see(host.owner(1), {1, 2}, std::nullopt);
  host.table.end_look();
  host.table.end_interval();
  const auto kept = host.queues();
  REQUIRE(kept.size() == model::kMostQueues);
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i].port == 2999 - i);
  // The one that listens is still there, although it dropped least.
  host.table.count(host.owner(1), 100000);
  CHECK(host.queues()[0].port == 2999);
  host.table.end_interval();
  CHECK(host.queues()[0].port == 1);
  CHECK(host.queues()[0].drops == 100001);
}

TEST_CASE("a queue in a namespace that is forgotten is not shown") {
  Host host;
  host.table.count(host.owner(80), 1);
  host.table.end_interval();
  CHECK(host.queues().size() == 1);
  host.directory.forget(host.id);
  CHECK(host.queues().empty());
}
