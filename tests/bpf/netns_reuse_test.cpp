// SPDX-License-Identifier: Apache-2.0
// Two network namespaces that have the same inode number, one after the other. No command mixes them up.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>

#include "bpf/capturing.hpp"
#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/inside_netns.hpp"
#include "support/tcp_pairs.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr std::uint16_t kPort = 5041;

/// A namespace with a name for `ip netns`.
class NamedNetns {
 public:
  explicit NamedNetns(std::string name) : name_(std::move(name)) { add(); }
  NamedNetns(const NamedNetns&) = delete;
  NamedNetns& operator=(const NamedNetns&) = delete;
  ~NamedNetns() { remove(); }

  const std::string& name() const { return name_; }
  std::uint64_t inode() const {
    struct stat status {};
    return ::stat(("/run/netns/" + name_).c_str(), &status) == 0 ? status.st_ino : 0;
  }
  void remove() const { Subprocess({"ip", "netns", "del", name_}).wait(); }
  /// Makes it again until it has this inode number. The kernel reuses a number some time after its namespace has ended.
  bool take_inode(std::uint64_t wanted) const {
    return wait_until([&] {
      if (inode() == wanted) return true;
      remove();
      add();
      return false;
    });
  }
  void leave_buckets(std::size_t count) const {
    const base::UniqueFd netns(::open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC));
    leave_buckets_in(netns.get(), kPort, count);
  }

 private:
  void add() const {
    REQUIRE(Subprocess({"ip", "netns", "add", name_}).wait() == 0);
    REQUIRE(Subprocess({"ip", "-n", name_, "link", "set", "lo", "up"}).wait() == 0);
  }

  std::string name_;
};

/// The buckets created so far in the namespaces with this inode number, by name.
std::map<std::string, std::uint64_t> created_in(const Capturing& capturing, std::uint64_t inode) {
  std::map<std::string, std::uint64_t> created;
  const auto read = capturing.read()->for_each(model::Wanted::kHeads, [&](const auto& head, const auto&) {
    for (const model::NetnsRow& row : head->namespaces) {
      if (row.netns == inode) created[row.name] = row.counts.created();
    }
    return true;
  });
  REQUIRE(read);
  return created;
}

std::uint64_t created_in_rows(const json& snapshot) {
  std::uint64_t created = 0;
  for (const json& row : snapshot["rows"]) created += row["created"].get<std::uint64_t>();
  return created;
}

}  // namespace

TEST_CASE("two namespaces that had one inode number stay two, for every command and every --netns",
          "[capture][netns]") {
  if (!privileged()) return;
  constexpr int kFirst = 61;
  constexpr int kSecond = 5;
  const std::string run = "twreuse" + std::to_string(::getpid());
  NamedNetns first(run + "a");
  const std::uint64_t inode = first.inode();
  REQUIRE(inode != 0);
  const std::string number = std::to_string(inode);

  Capturing capturing({}, {});
  REQUIRE(capturing.process().wait_for_error("ready"));
  TwtraceRun live({"--netns", number});
  Subprocess events({twtrace_binary(), "events", "--json", "--netns", number});
  REQUIRE(events.wait_for_error("ready"));
  first.leave_buckets(kFirst);
  REQUIRE(wait_until([&] { return created_in(capturing, inode)[first.name()] == kFirst; }));
  first.remove();
  NamedNetns second(run + "b");
  REQUIRE(second.take_inode(inode));
  second.leave_buckets(kSecond);
  REQUIRE(wait_until([&] { return created_in(capturing, inode)[second.name()] == kSecond; }));
  CHECK(created_in_rows(live.stop()) == kFirst);
  events.signal(SIGINT);
  CHECK(events.wait() == 0);
  CHECK(events.standard_output().find("\"netns_name\":\"" + first.name()) != std::string::npos);
  CHECK(events.standard_output().find("\"netns_name\":\"" + second.name()) == std::string::npos);
  capturing.process().signal(SIGINT);
  const auto ended = capturing.process().wait();
  INFO(capturing.process().standard_error());
  REQUIRE(ended.value_or(-1) == 0);

  const auto report = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"report", "--json", capturing.path()});
    const auto result = run_twtrace(arguments);
    INFO(result.err);
    return json::parse(result.out);
  };
  std::map<std::string, json> namespaces;
  const json whole = report({});
  for (const json& netns : whole["namespaces"]) {
    if (netns["netns"] == inode) namespaces[netns["name"]] = netns;
  }
  REQUIRE(namespaces.size() == 2);
  const json& one = namespaces[first.name()];
  const json& two = namespaces[second.name()];
  CHECK(one["netns_id"] != two["netns_id"]);
  CHECK(one["created"] == kFirst);
  CHECK(two["created"] == kSecond);
  CHECK(one["gone"] == true);
  CHECK(two["gone"] == false);
  if (!two["kernel"]["created"].is_null()) CHECK(two["kernel"]["created"] == kSecond);

  // The number does not say which of the two is meant. The id and the name do.
  const std::string id = "id:" + std::to_string(two["netns_id"].get<int>());
  for (const std::string command : {"report", "replay", "diff"}) {
    Arguments arguments = {command, capturing.path(), "--netns", number};
    if (command == "diff") arguments.insert(arguments.begin() + 1, capturing.path());
    const auto refused = run_twtrace(arguments);
    INFO(command << ": " << refused.err);
    check_refused(refused, 2, id + " (" + second.name() + ")");
    arguments.back() = id;
    CHECK(run_twtrace(arguments).code == 0);
  }
  for (const std::string& which : {id, second.name()}) {
    const json chosen = report({"--netns", which});
    CHECK(chosen["namespaces"].size() == 1);
    CHECK(chosen["capture"]["totals"]["created"] == kSecond);
  }
  const auto judged = [&](const std::string& label) {
    return report({"--fail-if", "created{netns=" + label + "}>5"})["verdicts"][0]["state"].get<std::string>();
  };
  CHECK(judged(number) == "not measurable");
  CHECK(judged(id) == "kept");
  CHECK(judged(first.name()) == "breached");
}
