// SPDX-License-Identifier: Apache-2.0
#include <twtrace/capture_schema.hpp>

#include <array>
#include <cstdint>

#include "support/catch.hpp"

using namespace twtrace;

namespace {

/// FNV-1a of the texts of all tables that a file of this version has.
std::uint64_t digest(int version) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const capture::SchemaTable& table : capture::kSchema) {
    if (version < table.since) continue;
    for (const char byte : capture::schema_sql(table, version)) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace

// A reader compares these texts with those in the file, comments included. A new version gets a new line here; the
// others stay, or files that people have are refused.
TEST_CASE("what files of older versions have stays as it was", "[capture]") {
  constexpr std::array<std::uint64_t, capture::kSchemaVersion> kDigests = {
      0x2949d512d303a0e1, 0x00f1dd9051cbf254, 0xfbb332dcce177b91, 0x026e00e2abe6476c, 0xf028f44fb21ed5f4,
      0x10d8dd3261e45e98, 0x025e176c2244729a, 0x01affd77aab8077b, 0xf2b6acf9e569c9a6, 0xaeb1688aabceebcc,
      0x66179d88ebc944b2, 0x32023d64e05c0e86, 0x250c17015cb18862};
  for (int version = 1; version <= capture::kSchemaVersion; ++version) {
    INFO(version);
    CHECK(digest(version) == kDigests[static_cast<std::size_t>(version) - 1]);
  }
}
