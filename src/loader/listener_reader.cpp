// SPDX-License-Identifier: Apache-2.0
#include "loader/listener_reader.hpp"

#include <utility>

#include "base/clock.hpp"
#include "loader/table_object.hpp"

namespace twtrace::loader {

base::Result<ListenerReader> ListenerReader::make(TableObject& object) {
  auto filled = MappedArray<tw_listener_reading>::map(bpf_map__fd(object.skeleton().maps.listener_readings),
                                                      TW_READ_LISTENERS, "listener_readings");
  if (!filled) return tl::unexpected(filled.error());
  return ListenerReader({object, std::move(*filled)});
}

void ListenerReader::begin(WhichListeners which) {
  tw_walk walk{};
  walk.listeners = 1;
  if (which == WhichListeners::kDropping) walk.what = TW_READ_DROPPED;
  walk_.begin(walk);
  readings_.clear();
  done_ = false;
}

base::Result<bool> ListenerReader::advance(std::uint64_t budget_ns) {
  const std::uint64_t begun_ns = base::process_cpu_ns();
  while (!done_) {
    auto done = walk_.run([this](const tw_listener_reading& reading) { readings_.push_back(reading); });
    if (!done) return done;
    done_ = *done;
    if (base::process_cpu_ns() - begun_ns >= budget_ns) break;
  }
  return done_;
}

base::Result<std::span<const tw_listener_reading>> ListenerReader::read(WhichListeners which) {
  begin(which);
  const auto done = advance(UINT64_MAX);
  if (!done) return tl::unexpected(done.error());
  return readings();
}

}  // namespace twtrace::loader
