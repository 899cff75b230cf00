// SPDX-License-Identifier: Apache-2.0
// How large a capture becomes: capture_size FILE [HOURS [KEYS [CHANGING]]] writes one sample per second of a host with
// KEYS owners, of which CHANGING make and lose buckets in every second, and says what came of it.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "capture/writer.hpp"

using namespace twtrace;

namespace {

unsigned argument(int argc, char** argv, int index, unsigned fallback) {
  return argc > index ? static_cast<unsigned>(std::strtoul(argv[index], nullptr, 10)) : fallback;
}

model::Identity owner(unsigned number) {
  model::Identity identity;
  identity.netns = 1;
  identity.pid = 1000 + number;
  identity.start_ns = 1'000'000'000ULL * number;
  identity.comm = "worker-" + std::to_string(number % 50);
  identity.uid = 33;
  const std::string unit = "worker-" + std::to_string(number % 50) + ".service";
  identity.service = {"systemd", unit, "/system.slice/" + unit, {}, {}};
  identity.port = static_cast<std::uint16_t>(1024 + number);
  return identity;
}

/// What an owner has counted after so many seconds of work: a few connections in each, that expire a minute later.
model::Counters counts_after(unsigned number, std::uint64_t turns) {
  model::Counters counts;
  counts.time_wait = turns * (1 + number % 7);
  counts.fin_wait2 = turns / 10;
  counts.expired = turns > 60 ? (turns - 60) * (1 + number % 7) : 0;
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const unsigned hours = argument(argc, argv, 2, 24);
  const unsigned keys = argument(argc, argv, 3, 1000);
  const unsigned changing = argument(argc, argv, 4, 100);
  auto target = capture::TargetFile::check(argv[1], capture::invoker());
  if (!target) return std::fprintf(stderr, "%s\n", target.error().what.c_str()), 1;
  model::CaptureInfo info;
  info.started_unix_ms = 1'767'323'045'678;
  auto writer = capture::Writer::create(std::move(*target), info, {});
  if (!writer) return std::fprintf(stderr, "%s\n", writer.error().what.c_str()), 1;

  model::RowTable table(keys);
  const model::PeerTable peers(1);
  const std::vector<model::NetnsInfo> namespaces = {{1, 4026531840U, "host", {}, {}}};
  for (unsigned i = 0; i < keys; ++i) table.add(i + 1, i + 1, owner(i));
  std::vector<std::uint64_t> turns(keys);
  unsigned next = 0;
  for (std::uint64_t second = 1; second <= hours * 3600ULL; ++second) {
    table.begin_interval();
    for (unsigned i = 0; i < changing; ++i, next = (next + 1) % keys) {
      const model::Counters counts = counts_after(next, ++turns[next]);
      table.set(next + 1, counts, counts.created() - counts.removed(), false);
    }
    model::Snapshot head;
    head.time_unix_ms = info.started_unix_ms + static_cast<std::int64_t>(second) * 1000;
    head.interval_s = 1.0 + 1e-6 * static_cast<double>(second % 1000);
    head.uptime_s = static_cast<double>(second) * 1.0001;
    head.cost = {std::nullopt, 1.0 + 1e-3 * static_cast<double>(second % 777), 40'000'000 + second % 4096};
    model::NetnsRow netns;
    netns.id = 1;
    netns.netns = 4026531840U;
    netns.limit = 131072;
    netns.in_use = 20'000 + second % 977;
    netns.counts.time_wait = second * 400;
    netns.kernel.created = netns.counts.time_wait;
    head.namespaces = {netns};
    const auto written = writer->append(head, model::CurrentSource(table, peers, namespaces));
    if (!written) return std::fprintf(stderr, "%s\n", written.error().what.c_str()), 1;
  }
  if (!writer->finish(info.started_unix_ms + hours * 3'600'000LL, {})) return 1;
  const auto bytes = std::filesystem::file_size(argv[1]);
  std::printf("%u h, %u keys, %u of them changed per second: %.1f MB, %.1f bytes per change\n", hours, keys, changing,
              static_cast<double>(bytes) / 1e6,
              static_cast<double>(bytes) / (static_cast<double>(changing) * hours * 3600.0));
  return 0;
}
