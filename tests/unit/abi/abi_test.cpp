// SPDX-License-Identifier: Apache-2.0
// Both compilers must lay out abi.h alike: compares the BTF of the objects with this C++ compiler.
#include <bpf/btf.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "abi_table.hpp"
#include "support/catch.hpp"

using namespace twtrace::test;

namespace Catch {
template <>
struct StringMaker<AbiMember> {
  static std::string convert(const AbiMember& member) {
    return member.name + " at " + std::to_string(member.offset) + ", " + std::to_string(member.size) + " bytes";
  }
};
}  // namespace Catch

namespace {

using BtfPtr = std::unique_ptr<btf, decltype(&btf__free)>;

/// The types of each object.
std::vector<BtfPtr> object_types() {
  std::vector<BtfPtr> all;
  std::istringstream paths(TWTRACE_BPF_OBJECTS);
  for (std::string path; std::getline(paths, path, ':');) {
    INFO(path);
    all.emplace_back(btf__parse_elf(path.c_str(), nullptr), btf__free);
    REQUIRE(all.back() != nullptr);
  }
  return all;
}

const btf_type* find_struct(const btf* types, const std::string& name) {
  const int id = btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT);
  return id > 0 ? btf__type_by_id(types, static_cast<__u32>(id)) : nullptr;
}

std::vector<AbiMember> members_of(const btf* types, const btf_type* structure) {
  std::vector<AbiMember> result;
  const btf_member* members = btf_members(structure);
  for (__u32 i = 0; i < btf_vlen(structure); ++i) {
    const __u32 bits = btf_member_bit_offset(structure, i);
    CHECK(btf_member_bitfield_size(structure, i) == 0);
    CHECK(bits % 8 == 0);
    result.push_back({btf__name_by_offset(types, members[i].name_off), bits / 8,
                      static_cast<std::size_t>(btf__resolve_size(types, members[i].type))});
  }
  return result;
}

}  // namespace

TEST_CASE("every structure has the same layout in BPF and in C++") {
  const std::vector<BtfPtr> objects = object_types();
  for (const AbiStruct& expected : abi_structs()) {
    INFO(expected.name << " (absent: no map, global or function of an object mentions it)");
    int found = 0;
    for (const BtfPtr& types : objects) {
      const btf_type* actual = find_struct(types.get(), expected.name);
      if (actual == nullptr) continue;
      ++found;
      CHECK(actual->size == expected.size);
      CHECK(members_of(types.get(), actual) == expected.members);
    }
    CHECK(found > 0);
  }
}

// Whoever adds a structure to abi.h must add it to the table, too.
TEST_CASE("the table of this test names every structure of abi.h") {
  std::ifstream file(TWTRACE_ABI_HEADER);
  std::set<std::string> in_header;
  for (std::string line; std::getline(file, line);) {  // a definition starts its line and opens its brace on it
    if (line.rfind("struct tw_", 0) == 0 && line.back() == '{') in_header.insert(line.substr(7, line.size() - 9));
  }
  std::set<std::string> in_table;
  for (const AbiStruct& structure : abi_structs()) in_table.insert(structure.name);
  CHECK_FALSE(in_header.empty());
  CHECK(in_header == in_table);
}

TEST_CASE("no structure has a hole: padding is explicit") {
  for (const AbiStruct& structure : abi_structs()) {
    std::size_t end = 0;
    for (const AbiMember& member : structure.members) {
      INFO(structure.name << "." << member.name);
      CHECK(member.offset == end);
      end = member.offset + member.size;
    }
    INFO(structure.name);
    CHECK(end == structure.size);
  }
}

// clang makes a static variable smaller that has only two values. The kernel refuses such BTF, libbpf then loads the
// programs without it, and the verifier no longer looks at global functions one by one.
TEST_CASE("every variable is as large as its type says") {
  int variables = 0;
  for (const BtfPtr& types : object_types()) {
    for (__u32 id = 1; id < btf__type_cnt(types.get()); ++id) {
      const btf_type* section = btf__type_by_id(types.get(), id);
      if (!btf_is_datasec(section)) continue;
      const btf_var_secinfo* infos = btf_var_secinfos(section);
      for (__u32 i = 0; i < btf_vlen(section); ++i, ++variables) {
        INFO(btf__name_by_offset(types.get(), btf__type_by_id(types.get(), infos[i].type)->name_off));
        CHECK(btf__resolve_size(types.get(), infos[i].type) == static_cast<__s64>(infos[i].size));
      }
    }
  }
  CHECK(variables > 0);
}
