// SPDX-License-Identifier: Apache-2.0
// Identities, tables and sums for tests.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model/row_table.hpp"
#include "view/view.hpp"

namespace twtrace::test {

/// Random numbers from a fixed seed, so that every run has the same sequence.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// From 0 to `most`.
  std::uint64_t up_to(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(engine_); }

 private:
  std::mt19937_64 engine_;
};

/// Parses a filter as typed. Fails the program if it is not valid.
inline view::Selector selector(std::string_view text) {
  return view::parse_selector(text, view::Grammar::kFilter).value();
}

inline base::Service systemd(const std::string& name) { return {"systemd", name, "/system.slice/" + name, {}, {}}; }

inline model::Identity worker(std::uint32_t pid, const std::string& comm = "worker") {
  model::Identity identity;
  identity.netns = 1;
  identity.pid = pid;
  identity.start_ns = pid * 1000U;
  identity.comm = comm;
  identity.uid = 33;
  identity.service = systemd(comm + ".service");
  identity.role = model::Role::kClient;
  identity.port = 6379;
  return identity;
}

/// Small ranges, so that rows collide in some dimensions and differ in others.
inline model::Identity random_identity(Random& random) {
  model::Identity identity = worker(static_cast<std::uint32_t>(100 + random.up_to(40)));
  identity.netns = static_cast<std::uint32_t>(random.up_to(2));
  identity.comm = std::string(1, static_cast<char>('a' + random.up_to(3)));
  identity.uid = static_cast<std::uint32_t>(random.up_to(1));
  identity.service = systemd(std::string(1, static_cast<char>('a' + random.up_to(2))) + ".service");
  identity.role = random.up_to(1) == 0 ? model::Role::kServer : model::Role::kClient;
  identity.port = static_cast<std::uint16_t>(80 + random.up_to(2));
  identity.ipv6 = random.up_to(1) == 0;
  if (random.up_to(4) == 0) {
    identity.attribution = model::Attribution::kCgroup;
    identity.pid.reset();
    identity.start_ns = 0;
  }
  return identity;
}

inline model::Counters random_counts(Random& random) {
  model::Counters counts;
  for (const model::CounterField& field : model::kCounterFields) counts.*field.count = random.up_to(9);
  return counts;
}

/// Sums of a table by Identity::netns.
inline std::map<std::uint32_t, model::Counters> sums(const model::RowTable& table) {
  std::map<std::uint32_t, model::Counters> result;
  table.for_each([&](const model::Entry& entry, model::RowKind) { result[entry.identity.netns] += entry.counts; });
  return result;
}

/// All entries, copied.
inline std::vector<model::Entry> entries(const model::RowTable& table) {
  std::vector<model::Entry> result;
  table.for_each([&](const model::Entry& entry, model::RowKind) { result.push_back(entry); });
  return result;
}

}  // namespace twtrace::test
