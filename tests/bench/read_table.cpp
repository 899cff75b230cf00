// SPDX-License-Identifier: Apache-2.0
// Reads the tables of all network namespaces as twtrace does, once for each line of standard input, and says how long
// it took. For tests/bench/reading.py, which takes turns with other readers. Argument: how many buckets to have room
// for, as twtrace has for the largest limit of the host and a quarter more.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "loader/features.hpp"
#include "loader/readers.hpp"
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
base::Result<void> read_once(loader::Tracer& tracer, loader::Readers& readers, std::uint32_t inum) {
  const double cpu_begin = cpu_seconds();
  const auto begin = Clock::now();
  tracer.begin_scan();
  const auto namespaces = readers.namespaces().read(false);
  if (!namespaces) return tl::unexpected(namespaces.error());
  const auto own = std::find_if(namespaces->begin(), namespaces->end(),
                                [inum](const tw_namespace_reading& reading) { return reading.inum == inum; });
  const std::uint64_t own_id = own == namespaces->end() ? 0 : own->id;
  std::size_t unknown = 0;
  auto read = readers.table().read(
      *namespaces, TW_READ_CREDIT | TW_READ_BUCKETS,
      [&unknown, own_id](const tw_socket_reading& bucket) { unknown += bucket.netns_id == own_id ? 1U : 0U; });
  if (!read) return tl::unexpected(read.error());
  const double scan_s = seconds_since(begin);
  const double scan_cpu_s = cpu_seconds() - cpu_begin;
  std::vector<loader::SweptBucket> gone;
  if (auto swept = tracer.sweep(gone, loader::Pace::kWhole); !swept) return tl::unexpected(swept.error());
  std::uint64_t buckets = unknown;
  for (const tw_row& row : tracer.rows()) {
    if (loader::is_published(row) && tracer.netns_at(row.key.netns).inum == inum) buckets += row.scanned;
  }
  std::printf("{\"scan_s\":%.6f,\"scan_cpu_s\":%.6f,\"sweep_s\":%.6f,\"buckets\":%llu,\"pre_existing\":%llu}\n", scan_s,
              scan_cpu_s, seconds_since(begin) - scan_s, static_cast<unsigned long long>(buckets),
              static_cast<unsigned long long>(unknown));
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
  loader::ReaderOptions reader_options;
  reader_options.tracer = tracer->state();
  auto readers = loader::Readers::open(*features, reader_options);
  if (!readers) return fail(readers.error());
  struct stat own {};
  if (::stat("/proc/self/ns/net", &own) != 0) return 1;
  const auto inum = static_cast<std::uint32_t>(own.st_ino);
  tracer->set_enabled(true);
  for (int c = 0; (c = std::getchar()) != EOF;) {
    if (c != '\n') continue;
    if (auto done = read_once(*tracer, *readers, inum); !done) return fail(done.error());
  }
  return 0;
}
