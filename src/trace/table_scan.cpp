// SPDX-License-Identifier: Apache-2.0
#include "trace/table_scan.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// A scan walks the whole table, so it may take this share of one core.
constexpr std::uint64_t kShare = 100;
/// After so many scans that found nothing, two sweeps have emptied the maps.
constexpr std::uint64_t kQuietScans = 3;

/// Those with sockets between FIN and end, which a scan has to find even where there is no bucket.
std::set<std::uint32_t> waiting_namespaces(loader::Tracer& tracer) {
  std::set<std::uint32_t> slots;
  for (const tw_row& row : tracer.rows()) {
    if (loader::is_published(row) && __atomic_load_n(&row.pending, __ATOMIC_SEQ_CST) != 0) slots.insert(row.key.netns);
  }
  return slots;
}

}  // namespace

void TableScan::advance(loader::Tracer& tracer, Namespaces& netns, bool whole, const GoneHandler& gone) {
  if (!works_ || (!whole && !running_ && !is_due())) return;
  const std::uint64_t before_ns = base::process_cpu_ns();  // the time of a clock would make scans rare on a busy host
  if (whole || !running_) begin(tracer, netns);
  Step how = Step::kMore;
  do {
    how = step(tracer, netns, whole ? loader::Pace::kWhole : loader::Pace::kSlice, gone);
  } while (how == Step::kMore && (whole || base::process_cpu_ns() - before_ns < budget_ns_));
  running_->cost_ns += base::process_cpu_ns() - before_ns;
  if (how != Step::kMore) end(how);
}

std::optional<std::uint64_t> TableScan::live(std::uint32_t row_slot, std::uint32_t netns_slot,
                                             const Namespaces& netns) const {
  if (!counted_ns_ || netns.sight(netns_slot) == loader::Sight::kUnknown) return std::nullopt;
  return row_slot < live_.size() ? live_[row_slot] : 0;
}

void TableScan::forget_row(std::uint32_t row_slot) {
  if (row_slot < live_.size()) live_[row_slot] = 0;
}

bool TableScan::is_due() const { return end_ns_ == 0 || clock_.monotonic_ns() - end_ns_ >= cost_ns_ * kShare; }

void TableScan::begin(loader::Tracer& tracer, Namespaces& netns) {
  tracer.begin_scan(completed_ == 0, running_.has_value() || unfinished_);
  const std::uint64_t begun_ns = clock_.monotonic_ns();
  running_ = Running{.namespaces = netns.worth_a_visit(waiting_namespaces(tracer)), .begun_ns = begun_ns};
}

TableScan::Step TableScan::step(loader::Tracer& tracer, Namespaces& netns, loader::Pace pace, const GoneHandler& gone) {
  if (running_->next < running_->namespaces.size()) return walk_namespace(tracer, netns, pace);
  if (!running_->counted) take_counts(tracer, netns);
  return !running_->sweeps || sweep(tracer, netns, pace, gone) ? Step::kDone : Step::kMore;
}

/// One that cannot be entered is passed over: what it holds is not known, or it is gone and its buckets with it.
TableScan::Step TableScan::walk_namespace(loader::Tracer& tracer, Namespaces& netns, loader::Pace pace) {
  base::Result<bool> walked = true;
  const bool entered = netns.visit(running_->namespaces[running_->next],
                                   [&](std::uint32_t slot) { walked = tracer.scan_current_netns(slot, pace); });
  if (!entered) tracer.leave_netns();
  if (!walked) {
    explain(walked.error(), tracer);
    return Step::kFailed;
  }
  if (*walked) ++running_->next;
  return Step::kMore;
}

/// What a scan has counted is shown when it has been everywhere.
void TableScan::take_counts(loader::Tracer& tracer, Namespaces& netns) {
  running_->counted = true;
  running_->sweeps = !maps_are_empty(tracer);
  counted_ns_ = running_->begun_ns;
  const auto rows = tracer.rows();
  live_.resize(std::max(live_.size(), rows.size()));
  for (std::size_t slot = 1; slot < rows.size(); ++slot) live_[slot] = rows[slot].scanned;
  netns.take_scan(tracer.namespaces());
}

/// Forgets buckets that are gone; true when that is done.
bool TableScan::sweep(loader::Tracer& tracer, const Namespaces& netns, loader::Pace pace, const GoneHandler& gone) {
  std::vector<tw_swept_bucket> swept;
  const auto done = tracer.sweep([&netns](std::uint32_t slot) { return netns.sight(slot); }, swept, pace);
  if (!done || !swept.empty()) quiet_ = 0;
  gone(swept);
  return !done || *done;
}

/// Whether the sweeps so far have left nothing to sweep: nothing was counted since, no socket waits for its end, and no
/// bucket was found. Walking empty maps would be most of what an idle twtrace does.
bool TableScan::maps_are_empty(loader::Tracer& tracer) {
  std::uint64_t counted = 0;
  std::uint64_t found = 0;
  for (const tw_netns& netns : tracer.namespaces()) {
    const model::Counters total = to_counters(netns.total);
    counted += total.created() + total.refused();
    found += netns.scanned;
  }
  const bool quiet = counted == counted_buckets_ && found == 0 && waiting_namespaces(tracer).empty();
  counted_buckets_ = counted;
  quiet_ = quiet ? quiet_ + 1 : 0;
  return quiet_ > kQuietScans;
}

/// After a failure the numbers are those of the scan before it, whose age is shown, and the next one comes as usual.
void TableScan::end(Step how) {
  unfinished_ = how == Step::kFailed;
  if (!unfinished_) ++completed_;
  cost_ns_ = running_->cost_ns;
  end_ns_ = clock_.monotonic_ns();
  running_.reset();
}

void TableScan::explain(const base::Error& error, const loader::Tracer& tracer) {
  works_ = error.code != base::ErrorCode::kUnsupported;
  if (!explained_ && !loader::sees_removal(tracer.backend())) {
    spdlog::warn("live buckets cannot be counted{}: {}", works_ ? " now" : "", error.what);
  }
  explained_ = true;
}

}  // namespace twtrace::trace
