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
#include "loader/features.hpp"
#include "loader/readers.hpp"
#include "loader/tracer.hpp"
#include "support/catch.hpp"

namespace twtrace::test {

inline constexpr int kBuckets = 211;
inline constexpr std::uint32_t kSlice = 16;

/// A tracer, readers that credit buckets to its rows, and a namespace. Without cookies, the tracer keeps connections in
/// maps, not in slots. `run_ns`: how long a run of a reader program may take.
struct Scanner {
  explicit Scanner(const NetnsSandbox& sandbox, bool cookies = true, std::uint64_t run_ns = 0)
      : inum(static_cast<std::uint32_t>(sandbox.inode())) {
    const auto features =
        loader::probe_features("", cookies ? std::set<std::string>{} : std::set<std::string>{"socket-cookie"});
    REQUIRE(features);
    loader::TracerOptions options;
    options.backend = loader::Backend::kTracepoint;
    options.sweep_slice = kSlice;
    auto opened = loader::Tracer::open(*features, options);
    INFO((opened ? std::string() : opened.error().what));
    REQUIRE(opened);
    tracer.emplace(std::move(*opened));
    loader::ReaderOptions reader_options;
    reader_options.run_ns = run_ns;
    reader_options.tracer = tracer->state();
    auto opened_readers = loader::Readers::open(*features, reader_options);
    INFO((opened_readers ? std::string() : opened_readers.error().what));
    REQUIRE(opened_readers);
    readers.emplace(std::move(*opened_readers));
    tracer->set_enabled(true);
  }

  /// Does a whole scan without its sweep. Returns the number of runs.
  int scan() {
    tracer->begin_scan();
    const auto namespaces = readers->namespaces().read(false);
    REQUIRE(namespaces);
    readers->table().begin(*namespaces, TW_READ_CREDIT);
    return calls([&] { return readers->table().advance(0, [](const tw_socket_reading&) {}); });
  }

  /// Does a whole sweep. Returns the number of calls. Adds to `gone` what is gone in this namespace, but not what the
  /// host closes elsewhere.
  int sweep(std::vector<loader::SweptBucket>& gone, loader::Pace pace) {
    const int count = calls([&] { return tracer->sweep(gone, pace); });
    std::erase_if(gone, [this](const loader::SweptBucket& swept) { return !is_here(swept.bucket.netns); });
    return count;
  }

  /// Buckets that the last scan has found.
  std::uint64_t credited() { return sum(&tw_row::scanned); }
  /// Sockets between FIN and end.
  std::uint64_t waiting() { return sum(&tw_row::pending); }

  std::optional<loader::Tracer> tracer;
  std::optional<loader::Readers> readers;
  std::uint32_t inum;

 private:
  bool is_here(std::uint32_t slot) const { return tracer->netns_at(slot).inum == inum; }

  std::uint64_t sum(__u64 tw_row::*field) {
    std::uint64_t total = 0;
    for (const tw_row& row : tracer->rows()) {
      if (loader::is_published(row) && is_here(row.key.netns)) total += row.*field;
    }
    return total;
  }

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
