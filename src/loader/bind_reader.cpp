// SPDX-License-Identifier: Apache-2.0
#include "loader/bind_reader.hpp"

#include <algorithm>
#include <utility>

#include "loader/table_object.hpp"

namespace twtrace::loader {

base::Result<BindReader> BindReader::make(TableObject& object) {
  auto filled = MappedArray<tw_bind_reading>::map(bpf_map__fd(object.skeleton().maps.bind_readings), TW_READ_BINDS,
                                                  "bind_readings");
  if (!filled) return tl::unexpected(filled.error());
  return BindReader(object, std::move(*filled));
}

base::Result<std::uint64_t> BindReader::read(const Handler& handler) {
  tw_bind_walk walk{};
  while (walk.done == 0) {
    if (auto ran = object_->continue_walk(walk); !ran) return tl::unexpected(ran.error());
    const auto filled = filled_.values().first(std::min<std::size_t>(walk.filled, filled_.values().size()));
    for (const tw_bind_reading& reading : filled) handler(reading);
  }
  return walk.given_up;
}

}  // namespace twtrace::loader
