// SPDX-License-Identifier: Apache-2.0
#include "loader/namespace_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "loader/namespace_object.hpp"

namespace twtrace::loader {
namespace {

/// A run continues from the namespace that the previous run read last. This is how often that one may be gone. A run
/// reads a thousand namespaces, so even once is rare.
constexpr std::uint32_t kRestarts = 100;

/// Keeps the newer reading of namespaces that were read twice.
void drop_repeated(std::vector<tw_namespace_reading>& readings) {
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::reverse(readings.begin(), readings.end());
  std::stable_sort(readings.begin(), readings.end(), by_id);
  const auto end =
      std::unique(readings.begin(), readings.end(), [](const auto& a, const auto& b) { return a.id == b.id; });
  readings.erase(end, readings.end());
}

}  // namespace

NamespaceReader::NamespaceReader(std::unique_ptr<NamespaceObject> object, MappedArray<tw_namespace_reading> filled)
    : object_(std::move(object)), filled_(std::move(filled)) {}
NamespaceReader::NamespaceReader(NamespaceReader&&) noexcept = default;
NamespaceReader& NamespaceReader::operator=(NamespaceReader&&) noexcept = default;
NamespaceReader::~NamespaceReader() = default;

base::Result<NamespaceReader> NamespaceReader::open(const Features& features, const ReaderOptions& options) {
  auto object = NamespaceObject::prepare(features, options);
  if (!object) return tl::unexpected(object.error());
  if (auto loaded = (*object)->load(); !loaded) return tl::unexpected(loaded.error());
  if (auto learned = (*object)->learn_cpus(); !learned) return tl::unexpected(learned.error());
  auto filled = MappedArray<tw_namespace_reading>::map(bpf_map__fd((*object)->skeleton().maps.namespace_readings),
                                                       TW_READ_NAMESPACES, "namespace_readings");
  if (!filled) return tl::unexpected(filled.error());
  return NamespaceReader(std::move(*object), std::move(*filled));
}

const ReaderRuns& NamespaceReader::runs() const { return object_->runs(); }

void NamespaceReader::begin(bool counters, bool settings) {
  object_->skeleton().bss->tw_namespace_pass = {};
  object_->skeleton().data->tw_reads_counters = counters ? 1 : 0;
  object_->skeleton().bss->tw_reads_settings = settings ? 1 : 0;
  readings_.clear();
}

base::Result<bool> NamespaceReader::run_once() {
  const tw_namespace_pass& pass = object_->skeleton().bss->tw_namespace_pass;
  if (auto ran = object_->run(object_->skeleton().progs.read_namespaces); !ran) return tl::unexpected(ran.error());
  const auto filled = filled_.values().first(std::min<std::size_t>(pass.filled, TW_READ_NAMESPACES));
  readings_.insert(readings_.end(), filled.begin(), filled.end());
  if (pass.restarts > kRestarts) {
    return base::fail(base::ErrorCode::kFailure, "network namespaces go away faster than they can be read");
  }
  if (pass.done != 0 && pass.restarts != 0) drop_repeated(readings_);
  return pass.done != 0;
}

base::Result<bool> NamespaceReader::advance(std::uint64_t budget_ns) {
  const std::uint64_t begun_ns = base::process_cpu_ns();
  while (true) {
    auto done = run_once();
    if (!done || *done || base::process_cpu_ns() - begun_ns >= budget_ns) return done;
  }
}

base::Result<std::span<const tw_namespace_reading>> NamespaceReader::read(bool counters, bool settings) {
  begin(counters, settings);
  const auto done = advance(UINT64_MAX);
  if (!done) return tl::unexpected(done.error());
  return readings();
}

}  // namespace twtrace::loader
