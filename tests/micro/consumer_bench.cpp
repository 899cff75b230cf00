// SPDX-License-Identifier: Apache-2.0
// How many events per second one core takes from recorded bytes of the ring: checked only, counted per peer (the live
// view, -g peer and capture), and written as JSON. `twtrace -b` does less than the first: its counts are in maps.
#include <benchmark/benchmark.h>

#include "micro/recorded.hpp"

namespace twtrace::bench {
namespace {

constexpr std::size_t kRecords = 200'000;

const Recorded& recorded(std::int64_t keys) {
  static const Recorded few(10, kRecords);
  static const Recorded many(10'000, kRecords);
  return keys == 10 ? few : many;
}

void report(benchmark::State& state) {
  const auto events = static_cast<double>(state.iterations()) * kRecords;
  state.counters["events"] = benchmark::Counter(events, benchmark::Counter::kIsRate);
  state.counters["time_per_event"] =
      benchmark::Counter(events, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode(benchmark::State& state) {
  const Recorded& ring = recorded(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(ring.decode());
  report(state);
}

void decode_and_model(benchmark::State& state) {
  const Recorded& ring = recorded(state.range(0));
  model::PeerTable peers(1'000'000);
  ring.count_into(peers);  // what comes for the first time is named
  for (auto _ : state) benchmark::DoNotOptimize(ring.count_into(peers));
  state.counters["peers"] = static_cast<double>(peers.all().size());
  report(state);
}

void events_json(benchmark::State& state) {
  const Recorded& ring = recorded(state.range(0));
  std::string line;
  for (auto _ : state) benchmark::DoNotOptimize(ring.write_json(line));
  report(state);
}

#define TWTRACE_KEYS Arg(10)->Arg(10'000)->ArgName("keys")->Unit(benchmark::kMillisecond)
BENCHMARK(decode)->TWTRACE_KEYS;
BENCHMARK(decode_and_model)->TWTRACE_KEYS;
BENCHMARK(events_json)->TWTRACE_KEYS;

}  // namespace
}  // namespace twtrace::bench
