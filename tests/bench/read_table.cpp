// SPDX-License-Identifier: Apache-2.0
// Reads the table of its network namespace as twtrace does, once for each line of standard input, and says how long it
// took. For tests/bench/reading.py, which takes turns with other readers. Argument: how many buckets to have room for,
// as twtrace has for the largest limit of the host and a quarter more.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "loader/features.hpp"
#include "loader/tracer.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace twtrace;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

int fail(const base::Error& error) {
  std::fprintf(stderr, "read_table: %s\n", error.what.c_str());
  return 1;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// One scan, and the sweep that looks for what has gone.
base::Result<void> read_once(loader::Tracer& tracer, std::uint32_t slot, bool first) {
  const double cpu_begin = cpu_seconds();
  const auto begin = Clock::now();
  tracer.begin_scan(first);
  if (auto scanned = tracer.scan_current_netns(slot, loader::Pace::kWhole); !scanned)
    return tl::unexpected(scanned.error());
  const double scan_s = seconds_since(begin);
  const double scan_cpu_s = cpu_seconds() - cpu_begin;
  std::vector<tw_swept_bucket> gone;
  auto swept = tracer.sweep([](std::uint32_t) { return loader::Sight::kScanned; }, gone, loader::Pace::kWhole);
  if (!swept) return tl::unexpected(swept.error());
  const tw_netns& netns = tracer.namespaces()[slot];
  std::printf("{\"scan_s\":%.6f,\"scan_cpu_s\":%.6f,\"sweep_s\":%.6f,\"buckets\":%llu,\"pre_existing\":%llu}\n", scan_s,
              scan_cpu_s, seconds_since(begin) - scan_s, static_cast<unsigned long long>(netns.scanned),
              static_cast<unsigned long long>(netns.scanned_pre_existing));
  std::fflush(stdout);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  auto features = loader::probe_features("", {});
  if (!features) return fail(features.error());
  loader::TracerOptions options;
  if (argc == 2) options.sizes.buckets = static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10));
  auto tracer = loader::Tracer::open(*features, options);
  if (!tracer) return fail(tracer.error());
  const auto slot = tracer->intern_current_netns();
  if (!slot) return fail(slot.error());
  tracer->set_enabled(true);
  bool first = true;
  for (int c = 0; (c = std::getchar()) != EOF;) {
    if (c != '\n') continue;
    if (auto done = read_once(*tracer, *slot, first); !done) return fail(done.error());
    first = false;
  }
  return 0;
}
