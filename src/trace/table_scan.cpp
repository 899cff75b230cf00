// SPDX-License-Identifier: Apache-2.0
#include "trace/table_scan.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "trace/translate.hpp"

namespace twtrace::trace {
namespace {

/// A scan reads the tables of all namespaces, so it may take this share of one core.
constexpr std::uint64_t kShare = 100;
/// After so many scans that found nothing, two sweeps have emptied the maps.
constexpr std::uint64_t kQuietScans = 3;

/// Whether a socket is between FIN and end; a scan has to find it even where there is no bucket.
bool sockets_wait(loader::Tracer& tracer) {
  const auto rows = tracer.rows();
  return std::any_of(rows.begin(), rows.end(), [](const tw_row& row) {
    return loader::is_published(row) && __atomic_load_n(&row.pending, __ATOMIC_SEQ_CST) != 0;
  });
}

bool hold_buckets(std::span<const tw_namespace_reading> namespaces) {
  return std::any_of(namespaces.begin(), namespaces.end(),
                     [](const tw_namespace_reading& reading) { return reading.count != 0; });
}

}  // namespace

void TableScan::advance(loader::Tracer& tracer, loader::Readers& readers, bool whole, const GoneHandler& gone) {
  if (!whole && !running_ && !is_due()) return;
  const std::uint64_t before_ns = base::process_cpu_ns();  // the time of a clock would make scans rare on a busy host
  Step how = whole || !running_ ? begin(tracer, readers) : Step::kMore;
  do {
    if (how == Step::kMore) how = step(tracer, readers, whole, gone);
  } while (how == Step::kMore && (whole || base::process_cpu_ns() - before_ns < budget_ns_));
  running_->cost_ns += base::process_cpu_ns() - before_ns;
  if (how != Step::kMore) end(how);
}

std::optional<std::uint64_t> TableScan::live(std::uint32_t row_slot) const {
  if (!counted_ns_) return std::nullopt;
  return row_slot < live_.size() ? live_[row_slot] : 0;
}

void TableScan::forget_row(std::uint32_t row_slot) {
  if (row_slot < live_.size()) live_[row_slot] = 0;
}

bool TableScan::is_due() const { return end_ns_ == 0 || clock_.monotonic_ns() - end_ns_ >= cost_ns_ * kShare; }

/// The buckets of a namespace that was deleted stay until the kernel has purged them, but it is in no list any more.
bool TableScan::found_any() const {
  return !older_.empty() || std::any_of(live_.begin(), live_.end(), [](std::uint64_t live) { return live != 0; });
}

/// Where no namespace has a bucket, none was found before and no socket waits for its end, there is nothing to read.
/// The tracer forgets what two scans have not found, so one that begins over, after a scan that did not look
/// everywhere, does not sweep.
TableScan::Step TableScan::begin(loader::Tracer& tracer, loader::Readers& readers) {
  const bool again = running_.has_value() || unfinished_;
  tracer.begin_scan();
  tally_.begin();
  running_ = Running{.counts = !again, .begun_ns = clock_.monotonic_ns()};
  const auto namespaces = readers.namespaces().read(false);
  if (!namespaces) return fail(namespaces.error());
  running_->empty = !hold_buckets(*namespaces) && !sockets_wait(tracer) && !found_any();
  running_->read = running_->empty;
  const bool may_be_older = !counted_ns_ || !older_.empty();
  if (!running_->empty && may_be_older) {
    if (const auto listening = readers.listeners().read()) listeners_ = Listeners(*listening);
  }
  readers.table().begin(*namespaces, TW_READ_CREDIT | TW_READ_BUCKETS);
  return Step::kMore;
}

TableScan::Step TableScan::step(loader::Tracer& tracer, loader::Readers& readers, bool whole, const GoneHandler& gone) {
  if (!running_->read) return read(readers, whole);
  if (!running_->counted) take_counts(tracer, readers.table().summary().given_up == 0, gone);
  const auto pace = whole ? loader::Pace::kWhole : loader::Pace::kSlice;
  return !running_->sweeps || sweep(tracer, pace, gone) ? Step::kDone : Step::kMore;
}

TableScan::Step TableScan::read(loader::Readers& readers, bool whole) {
  const auto listens = [this](std::uint64_t netns_id, std::uint16_t port) { return listeners_.has(netns_id, port); };
  const auto done = readers.table().advance(whole ? UINT64_MAX : 0,
                                            [&](const tw_socket_reading& bucket) { tally_.add(bucket, listens); });
  if (!done) return fail(done.error());
  running_->read = *done;
  return Step::kMore;
}

/// What a scan has counted is shown when it has been everywhere. One that had to leave something out (`complete` is
/// false) says nothing of what is gone.
void TableScan::take_counts(loader::Tracer& tracer, bool complete, const GoneHandler& gone) {
  gone({{}, tally_.end(complete)});
  older_.clear();
  older_rows_ = tally_.rows();
  for (const loader::OlderBuckets& kind : older_rows_) older_[kind.remote.netns_id] += kind.count;
  const auto rows = tracer.rows();
  live_.resize(std::max(live_.size(), rows.size()));
  for (std::size_t slot = 1; slot < rows.size(); ++slot) live_[slot] = rows[slot].scanned;
  counted_ns_ = running_->begun_ns;
  running_->counted = true;
  running_->counts = running_->counts && complete;
  running_->sweeps = sweeps_ && !maps_are_empty(tracer) && running_->counts;
}

/// Forgets buckets that are gone; true when that is done.
bool TableScan::sweep(loader::Tracer& tracer, loader::Pace pace, const GoneHandler& gone) {
  Gone swept;
  const auto done = tracer.sweep(swept.seen, pace);
  if (!done || !swept.seen.empty()) quiet_ = 0;
  gone(swept);
  return !done || *done;
}

/// Whether the sweeps so far have left nothing to sweep: nothing was counted since, and there is nothing to find.
/// Walking empty maps would be most of what an idle twtrace does.
bool TableScan::maps_are_empty(loader::Tracer& tracer) {
  std::uint64_t counted = 0;
  for (const tw_netns& netns : tracer.namespaces()) {
    const model::Counters total = to_counters(netns.total);
    counted += total.created() + total.refused();
  }
  const bool quiet = counted == counted_buckets_ && running_->empty;
  counted_buckets_ = counted;
  quiet_ = quiet ? quiet_ + 1 : 0;
  return quiet_ > kQuietScans;
}

/// After a failure the numbers are those of the scan before it, whose age is shown, and the next one comes as usual.
void TableScan::end(Step how) {
  unfinished_ = how == Step::kFailed;
  if (!unfinished_ && running_->counts) ++completed_;
  cost_ns_ = running_->cost_ns;
  end_ns_ = clock_.monotonic_ns();
  running_.reset();
}

TableScan::Step TableScan::fail(const base::Error& error) {
  if (!explained_) spdlog::warn("live buckets cannot be counted now: {}", error.what);
  explained_ = true;
  return Step::kFailed;
}

}  // namespace twtrace::trace
