// SPDX-License-Identifier: Apache-2.0
// What a frame of the live view costs with 10,000 rows. The promise is 5 ms for a refresh of the screen.
#include <benchmark/benchmark.h>

#include "support/scene.hpp"

namespace twtrace {
namespace {

constexpr std::uint32_t kRows = 10'000;
constexpr tui::Size kSize{50, 160};

/// 10,000 processes of 100 services, all of them busy.
test::Scene& busy_scene() {
  static test::Scene scene;
  if (scene.history.newest() != 0) return scene;
  scene.state.process_group = model::Group::kPid;
  for (int second = 0; second < 5; ++second) {
    for (std::uint32_t slot = 1; slot <= kRows; ++slot) {
      const std::string name = "worker" + std::to_string(slot % 100);
      scene.act({slot, name, name + ".service", model::Role::kClient, 6379, test::made(slot % 7, 0, 0, slot % 3)});
    }
    scene.sample(4000);
  }
  return scene;
}

/// A key that moves the cursor, and the frame after it.
void scroll(benchmark::State& state) {
  test::Scene& scene = busy_scene();
  scene.press(U'1');
  bool down = true;
  for (auto _ : state) {
    scene.press(tui::Key{0, down ? tui::Special::kPageDown : tui::Special::kUp}, kSize);
    if (scene.state.current().selected + 60 > kRows) scene.press(U'g');
    down = !down;
    benchmark::DoNotOptimize(scene.draw(kSize));
  }
}
BENCHMARK(scroll)->Unit(benchmark::kMicrosecond);

/// A new sample: rows are grouped and sorted anew.
void rebuild(benchmark::State& state) {
  test::Scene& scene = busy_scene();
  scene.press(U'1');
  for (auto _ : state) {
    scene.press(U'R');
    benchmark::DoNotOptimize(scene.draw(kSize));
  }
}
BENCHMARK(rebuild)->Unit(benchmark::kMicrosecond);

/// The same with the 10,000 processes in 100 rows.
void rebuild_services(benchmark::State& state) {
  test::Scene& scene = busy_scene();
  scene.press(U'2');
  for (auto _ : state) {
    scene.press(U'R');
    benchmark::DoNotOptimize(scene.draw(kSize));
  }
}
BENCHMARK(rebuild_services)->Unit(benchmark::kMicrosecond);

/// Keeping a sample in which every row has changed.
void keep_sample(benchmark::State& state) {
  test::Scene scene;
  std::uint64_t created = 0;
  for (auto _ : state) {
    state.PauseTiming();
    ++created;
    for (std::uint32_t slot = 1; slot <= kRows; ++slot) {
      scene.act({slot, "worker", "worker.service", model::Role::kClient, 6379, test::made(created % 3 + 1)});
    }
    state.ResumeTiming();
    scene.sample(4000);
  }
  state.counters["bytes"] = static_cast<double>(scene.history.bytes());
}
BENCHMARK(keep_sample)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace twtrace
