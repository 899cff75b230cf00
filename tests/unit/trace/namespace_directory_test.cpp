// SPDX-License-Identifier: Apache-2.0
#include "trace/namespace_directory.hpp"

#include "netns_slot.hpp"
#include "support/catch.hpp"

using namespace twtrace;
using test::netns_slot;
using trace::NamespaceDirectory;
using Id = NamespaceDirectory::Id;

namespace {

/// Inode numbers that no namespace of the running kernel has.
constexpr std::uint32_t kInum = 17;
constexpr std::uint32_t kOther = 18;

tw_namespace_reading reading(std::uint64_t identity, std::uint32_t inum) {
  tw_namespace_reading result{};
  result.id = identity;
  result.inum = inum;
  return result;
}

/// Of the namespace that the kernel started with.
tw_namespace_reading initial(std::uint64_t identity, std::uint32_t inum) {
  tw_namespace_reading result = reading(identity, inum);
  result.initial = 1;
  return result;
}

kernel::NetnsRef ref(std::uint32_t inum, const std::string& name) {
  kernel::NetnsRef result;
  result.inum = inum;
  result.name = name;
  return result;
}

std::vector<Id> take(NamespaceDirectory& directory, const std::vector<tw_namespace_reading>& readings) {
  return directory.take_readings(readings);
}

std::vector<Id> add(NamespaceDirectory& directory, const std::vector<tw_netns>& slots) {
  return directory.add_slots(slots);
}

bool is_gone(const NamespaceDirectory& directory, Id id) { return directory.entries().at(id).gone; }

}  // namespace

TEST_CASE("a namespace is known by its identity, and gone when a reading no longer has it") {
  NamespaceDirectory directory;
  const auto first = take(directory, {reading(1001, kInum), reading(1002, kOther)});
  REQUIRE(first.size() == 2);
  CHECK(take(directory, {reading(1001, kInum), reading(1002, kOther)}).empty());
  CHECK(take(directory, {reading(1002, kOther)}).empty());
  CHECK(is_gone(directory, first[0]));
  CHECK_FALSE(is_gone(directory, first[1]));
}

TEST_CASE("the namespace that the kernel starts with is the host's, whatever /proc shows") {
  NamespaceDirectory directory;
  kernel::NetnsCatalog catalog;
  catalog.refresh();
  const std::uint32_t ours = catalog.resolve("self").value().inum;
  const auto ids = take(directory, {reading(1, kInum), reading(1002, ours), initial(1003, kOther)});
  REQUIRE(ids.size() == 3);
  const auto name = [&](std::size_t i) { return directory.entries().at(ids[i]).name; };
  for (const bool looked : {false, true}) {
    if (looked) directory.discover(false);
    CHECK(name(0).empty());
    CHECK(name(1) != "host");  // though /proc calls ours so, if this is no container
    CHECK(name(2) == "host");
    CHECK(directory.resolve("host") == ids[2]);
  }
}

TEST_CASE("an inode number that is given again is another namespace's") {
  NamespaceDirectory directory;
  const Id old = take(directory, {reading(1001, kInum)}).at(0);
  const auto added = take(directory, {reading(1002, kInum)});
  REQUIRE(added.size() == 1);
  CHECK(added[0] != old);
  CHECK(is_gone(directory, old));
  CHECK(directory.id_of(1001) == old);
  CHECK(directory.id_of(1002) == added[0]);
}

TEST_CASE("a slot goes to the namespace of its identity, whatever the inode number") {
  NamespaceDirectory directory;
  const Id old = take(directory, {reading(1001, kInum)}).at(0);
  const Id young = take(directory, {reading(1002, kInum)}).at(0);
  CHECK(add(directory, {tw_netns{}, netns_slot(1001, kInum), netns_slot(1002, kInum)}).empty());
  CHECK(directory.id_at(1) == old);
  CHECK(directory.id_at(2) == young);
  CHECK_FALSE(directory.id_at(3));
}

TEST_CASE("a slot of a namespace that nobody knew is one that is younger than twtrace") {
  NamespaceDirectory directory;
  const auto added = add(directory, {tw_netns{}, tw_netns{}, netns_slot(1003, kInum)});
  REQUIRE(added.size() == 1);
  CHECK(directory.entries().at(added[0]).slots == std::vector<std::uint32_t>{2});
  CHECK(add(directory, {tw_netns{}, tw_netns{}, netns_slot(1003, kInum)}).empty());
  CHECK(take(directory, {reading(1003, kInum)}).empty());
  CHECK_FALSE(is_gone(directory, added[0]));
}

TEST_CASE("one that came and went between two readings is gone at the next") {
  NamespaceDirectory directory;
  const Id id = add(directory, {tw_netns{}, netns_slot(1003, kInum)}).at(0);
  take(directory, {reading(1004, kOther)});
  CHECK(is_gone(directory, id));
}

TEST_CASE("what found no slot of its own is no namespace") {
  NamespaceDirectory directory;
  CHECK(add(directory, {tw_netns{}}).empty());  // nothing was counted there
  tw_netns other{};
  other.total.time_wait = 1;
  const Id id = add(directory, {other}).at(0);
  CHECK(directory.entries().at(id).name == "(other)");
  take(directory, {reading(1001, kInum)});
  CHECK(is_gone(directory, id));
}

TEST_CASE("without readings a namespace that /proc leads to gets its identity with its first event") {
  NamespaceDirectory directory;
  const Id known = directory.add(ref(kInum, "blue"));
  CHECK(add(directory, {tw_netns{}, netns_slot(1001, kInum)}).empty());
  CHECK(directory.id_at(1) == known);
  CHECK(directory.id_of(1001) == known);
  CHECK(directory.entries().at(known).name == "blue");
}

TEST_CASE("without readings an event with the inode number of another identity says that the other is gone") {
  NamespaceDirectory directory;
  const Id old = directory.add(ref(kInum, "blue"));
  add(directory, {tw_netns{}, netns_slot(1001, kInum)});
  const auto added = add(directory, {tw_netns{}, netns_slot(1001, kInum), netns_slot(1002, kInum)});
  REQUIRE(added.size() == 1);
  CHECK(is_gone(directory, old));
  CHECK_FALSE(is_gone(directory, added[0]));
}

TEST_CASE("a number is not given again when its namespace is forgotten") {
  NamespaceDirectory directory;
  const Id old = take(directory, {reading(1001, kInum)}).at(0);
  directory.forget(old);
  CHECK_FALSE(directory.id_of(1001));
  CHECK(take(directory, {reading(1001, kInum)}).at(0) != old);
}

TEST_CASE("a slot that was given back is the next namespace's, and the first one stays") {
  NamespaceDirectory directory;
  const Id old = take(directory, {reading(1001, kInum)}).at(0);
  add(directory, {tw_netns{}, netns_slot(1001, kInum)});
  directory.drop_slot(1);
  CHECK_FALSE(directory.id_at(1));
  CHECK(directory.entries().at(old).slots.empty());
  const Id young = add(directory, {tw_netns{}, netns_slot(1002, kInum)}).at(0);
  CHECK(directory.id_at(1) == young);
  CHECK(directory.id_of(1001) == old);
}

TEST_CASE("a namespace that counts after the kernel side has forgotten its slot has two") {
  NamespaceDirectory directory;
  const Id id = take(directory, {reading(1001, kInum)}).at(0);
  CHECK(add(directory, {tw_netns{}, netns_slot(1001, kInum), netns_slot(1001, kInum)}).empty());
  CHECK(directory.id_at(1) == id);
  CHECK(directory.id_at(2) == id);
  directory.drop_slot(1);
  CHECK(directory.entries().at(id).slots == std::vector<std::uint32_t>{2});
}

namespace {

/// What a search finds, and how often somebody searched.
struct Found {
  std::map<std::uint32_t, kernel::NetnsRef> refs;
  int searches = 0;
  bool is_late = false;

  void put(std::uint32_t inum, const std::string& name, std::optional<std::uint32_t> pid) {
    refs[inum] = ref(inum, name);
    refs[inum].pid = pid;
  }
  NamespaceDirectory::Search search() {
    return [this](kernel::NetnsSearch) {
      ++searches;
      return is_late ? trace::NameHelper::Found{} : trace::NameHelper::Found{refs, true};
    };
  }
};

constexpr const char* kMadeUp = "cni-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

}  // namespace

TEST_CASE("a namespace that nobody has named is called after the container in it") {
  Found found;
  found.put(kInum, "", 30);
  found.put(kOther, kMadeUp, 31);
  found.put(19, "blue", 32);
  found.put(20, "", 33);
  found.put(21, kMadeUp, 34);
  NamespaceDirectory directory;
  directory.search_by(found.search());
  take(directory,
       {reading(1001, kInum), reading(1002, kOther), reading(1003, 19), reading(1004, 20), reading(1005, 21)});
  directory.discover(false);
  const std::map<std::uint32_t, std::string> containers = {{30, "web"}, {31, "shop/cart"}, {32, "no"}, {33, "host"}};
  std::vector<std::uint32_t> asked;
  const auto container_of = [&](std::uint32_t pid) {
    asked.push_back(pid);
    return containers.contains(pid) ? containers.at(pid) : std::string();
  };
  directory.name_containers(container_of);
  directory.name_containers(container_of);
  CHECK(asked == std::vector<std::uint32_t>{30, 31, 33, 34});  // each process once
  const auto shown = [&](std::uint64_t identity) { return directory.entries().at(directory.id_of(identity).value()); };
  CHECK(shown(1001).name == "web");
  CHECK(shown(1001).is_container);
  CHECK(shown(1002).name == "shop/cart");
  CHECK(shown(1003).name == "blue");
  CHECK_FALSE(shown(1003).is_container);
  CHECK(shown(1004).name.empty());  // the name is taken
  CHECK(shown(1005).name.empty());

  CHECK(directory.resolve("shop/cart") == directory.id_of(1002).value());
  CHECK(directory.resolve("web") == directory.id_of(1001).value());
  CHECK(directory.resolve(kMadeUp));
  CHECK(directory.resolve("red").error().hint == "known names: web, shop/cart, blue");
  CHECK_FALSE(directory.resolve(""));

  // The first process was a helper of the engine, and somebody gives the other one a name.
  found.put(21, kMadeUp, 30);
  found.put(kOther, "green", 31);
  directory.discover(false);
  directory.name_containers(container_of);
  CHECK(shown(1005).name == "web");
  CHECK(shown(1002).name == "green");
  CHECK_FALSE(shown(1002).is_container);
  CHECK(directory.resolve("web").error().code == base::ErrorCode::kUsage);  // 1001 and 1005
  CHECK(directory.resolve("web").error().hint == "give the inode number of one, as in 17 or 21");
  CHECK(directory.resolve("17") == directory.id_of(1001).value());

  // A name that was taken away leaves the one of the container, if it has any.
  found.put(kOther, kMadeUp, 31);
  found.put(19, "", 40);
  directory.discover(false);
  CHECK(shown(1002).name.empty());
  CHECK(shown(1003).name.empty());
  directory.name_containers(container_of);
  CHECK(shown(1002).name == "shop/cart");
  CHECK(shown(1003).name.empty());
}

TEST_CASE("while nobody can search, what is known stays, and nothing is gone") {
  Found found;
  found.put(kInum, "blue", 30);
  NamespaceDirectory directory;
  directory.search_by(found.search());
  const Id blue = take(directory, {reading(1001, kInum), reading(1002, kOther)}).at(0);
  const Id other = directory.id_of(1002).value();
  CHECK(directory.discover(false));
  CHECK(directory.entries().at(blue).name == "blue");
  found.is_late = true;
  found.refs.clear();
  CHECK_FALSE(directory.discover(false));
  CHECK(directory.catalog().find(kInum) != nullptr);
  directory.begin_sample();
  CHECK_FALSE(directory.read_counters(other));
  CHECK_FALSE(directory.entries().at(other).gone);
  found.is_late = false;
  CHECK(directory.discover(false));
  CHECK(directory.catalog().find(kInum) == nullptr);
  directory.begin_sample();
  CHECK_FALSE(directory.read_counters(other));
  CHECK(directory.entries().at(other).gone);
}

TEST_CASE("if not even the first search is answered, the directory looks for itself") {
  Found found;
  found.is_late = true;
  NamespaceDirectory directory;
  directory.search_by(found.search());
  CHECK(directory.discover(false));
  CHECK_FALSE(directory.catalog().is_empty());
}

TEST_CASE("a name is looked for ever less often") {
  Found found;
  NamespaceDirectory directory;
  directory.search_by(found.search());
  take(directory, {reading(1001, kInum)});
  for (int chance = 0; chance < 100; ++chance) directory.look_for_new_names();
  CHECK(found.searches == 7);  // at 1, 2, 4, 8, 16, 32 and 64
  for (int chance = 0; chance < 2000; ++chance) directory.look_for_new_names();
  CHECK(found.searches == 10);  // the last one at 512
  take(directory, {reading(1001, kInum), reading(1002, kOther)});
  directory.look_for_new_names();
  CHECK(found.searches == 11);
}
