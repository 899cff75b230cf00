// SPDX-License-Identifier: Apache-2.0
// A tracer without a session, for tests that scan and sweep step by step.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bpf/expect.hpp"
#include "kernel/netns_scope.hpp"
#include "loader/features.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"

namespace twtrace::test {

inline constexpr int kBuckets = 211;
inline constexpr std::uint32_t kSlice = 16;

inline kernel::NetnsRef ref_of(const NetnsSandbox& netns) {
  return {static_cast<std::uint32_t>(netns.inode()), {}, {}, "/proc/self/fd/" + std::to_string(netns.fd())};
}

/// A tracer of its own, and the namespace that it scans. Without cookies it keeps connections in maps, not in slots.
struct Scanner {
  explicit Scanner(const NetnsSandbox& sandbox, bool cookies = true) : ref(ref_of(sandbox)) {
    const auto features =
        loader::probe_features("", cookies ? std::set<std::string>{} : std::set<std::string>{"socket-cookie"});
    REQUIRE(features);
    loader::TracerOptions options;
    options.backend = loader::Backend::kTracepoint;
    options.scan_slice = kSlice;
    auto opened = loader::Tracer::open(*features, options);
    INFO((opened ? std::string() : opened.error().what));
    REQUIRE(opened);
    tracer.emplace(std::move(*opened));
    const auto scope = kernel::NetnsScope::enter(ref);
    REQUIRE(scope);
    const auto interned = tracer->intern_current_netns();
    REQUIRE(interned);
    slot = *interned;
    tracer->set_enabled(true);
  }

  /// A whole scan without its sweep, in calls of that pace; returns how many it took.
  int scan(loader::Pace pace, bool first = false) {
    const auto scope = kernel::NetnsScope::enter(ref);
    REQUIRE(scope);
    tracer->begin_scan(first);
    return calls([&] { return tracer->scan_current_netns(slot, pace); });
  }

  /// Of this namespace alone: the host closes connections elsewhere meanwhile.
  int sweep(std::vector<tw_swept_bucket>& gone, loader::Pace pace, loader::Sight seen = loader::Sight::kScanned) {
    const auto sight = [=, this](std::uint32_t netns) { return netns == slot ? seen : loader::Sight::kUnknown; };
    return calls([&] { return tracer->sweep(sight, gone, pace); });
  }

  std::uint64_t credited() {
    std::uint64_t sum = 0;
    for (const tw_row& row : tracer->rows()) sum += loader::is_published(row) ? row.scanned : 0;
    return sum;
  }

  /// Sockets between FIN and end.
  std::uint64_t waiting() {
    std::uint64_t sum = 0;
    for (const tw_row& row : tracer->rows()) {
      if (loader::is_published(row) && row.key.netns == slot) sum += row.pending;
    }
    return sum;
  }

  std::uint64_t found() { return tracer->netns_at(slot).scanned; }

  kernel::NetnsRef ref;
  std::optional<loader::Tracer> tracer;
  std::uint32_t slot = 0;

 private:
  template <class Call>
  static int calls(Call call) {
    for (int count = 1;; ++count) {
      const auto done = call();
      REQUIRE(done);
      if (*done) return count;
    }
  }
};

}  // namespace twtrace::test
