// SPDX-License-Identifier: Apache-2.0
#include "trace/namespace_ledger.hpp"

#include <algorithm>

#include "model/rate.hpp"

namespace twtrace::trace {
namespace {

std::uint64_t created(const kernel::TcpExt& ext) { return ext.tw + ext.tw_killed; }

}  // namespace

void NamespaceLedger::start_at(const Reading& reading) {
  start_ = last_ = reading.ext;
  start_in_use_ = static_cast<std::int64_t>(reading.in_use);
  created_.set_start(created(reading.ext));
  overflow_.set_start(reading.ext.time_wait_overflow);
  queue_drops_.set_start(reading.ext.listen_drops);
  if (reading.out_resets) resets_sent_.set_start(*reading.out_resets);
}

void NamespaceLedger::start_at_zero() {
  Reading zero;
  zero.out_resets = 0;
  start_at(zero);
  before_ = zero;
}

void NamespaceLedger::narrow_start(const model::Counters& ours_before, const Reading& reading,
                                   const model::Counters& ours_after) {
  if (!start_) start_ = reading.ext;
  start_->tw_recycled = reading.ext.tw_recycled;
  last_ = reading.ext;
  before_ = after_ = reading;
  created_.narrow_start(ours_before.created(), created(reading.ext), ours_after.created());
  overflow_.narrow_start(ours_before.refused(), reading.ext.time_wait_overflow, ours_after.refused());
  // The sockets' counters were read between the start and this reading, so ours may have begun at any moment between.
  queue_drops_.narrow_start(0, reading.ext.listen_drops, reading.ext.listen_drops);
  if (reading.out_resets) {
    resets_sent_.narrow_start(ours_before.resets_sent(), *reading.out_resets, ours_after.resets_sent());
  }
  start_in_use_ = static_cast<std::int64_t>(reading.in_use + ours_after.removed()) -
                  static_cast<std::int64_t>(ours_after.created());
}

bool NamespaceLedger::is_of_another(const Reading& reading) const {
  const kernel::TcpExt& now = reading.ext;
  return now.tw < last_.tw || now.tw_killed < last_.tw_killed || now.tw_recycled < last_.tw_recycled ||
         now.time_wait_overflow < last_.time_wait_overflow || now.listen_overflows < last_.listen_overflows ||
         now.listen_drops < last_.listen_drops;
}

void NamespaceLedger::take_before(const std::optional<Reading>& reading) {
  before_ = reading;
  if (reading) last_ = reading->ext;
}

void NamespaceLedger::take_after(const std::optional<Reading>& reading, const model::Counters& total) {
  after_ = reading;
  total_when_read_ = total;
  if (reading) last_ = reading->ext;
}

void NamespaceLedger::observe(const OurCounts& ours) {
  previous_ = ours_.counts;
  previously_unattributed_ = ours_.unattributed;
  ours_ = ours;
  current_ = is_read_at(ours.total);
  if (ours.sees.removal && start_) {
    const auto removed = static_cast<std::int64_t>(ours.unattributed.removed());
    pre_existing_ = static_cast<std::uint64_t>(std::max<std::int64_t>(start_in_use_ - removed, 0));
  } else if (!ours.sees.removal && ours.older_buckets_known) {
    pre_existing_ = ours.older_buckets;
  }
  if (!is_comparable()) return;
  compare_counters();
  if (!counts_at_creation_ && ours.sees.removal) compare_gauge();
}

void NamespaceLedger::compare_counters() {
  if (counts_at_creation_) {
    created_check_ = created_.observe(created(before_->ext), ours_.counts.created(), created(after_->ext));
  }
  overflow_check_ =
      overflow_.observe(before_->ext.time_wait_overflow, ours_.counts.refused(), after_->ext.time_wait_overflow);
  if (ours_.sees.resets_sent && before_->out_resets && after_->out_resets) {
    resets_check_ = resets_sent_.observe(*before_->out_resets, ours_.counts.resets_sent(), *after_->out_resets);
  }
  if (ours_.sees.queue_drops) {
    queue_check_ = queue_drops_.observe(before_->ext.listen_drops, ours_.counts.queue_drops, after_->ext.listen_drops);
  }
  verified_ = ours_.counts;
}

/// Before 5.18 the counters move when a bucket ends; the gauge is what can be compared there.
void NamespaceLedger::compare_gauge() {
  const std::int64_t expected = start_in_use_ + static_cast<std::int64_t>(ours_.counts.created()) -
                                static_cast<std::int64_t>(ours_.counts.removed());
  const auto [lowest, highest] = std::minmax(before_->in_use, after_->in_use);
  gauge_agrees_ = expected >= static_cast<std::int64_t>(lowest) && expected <= static_cast<std::int64_t>(highest);
}

void NamespaceLedger::keep(const model::Counters& total, const model::Counters& unattributed) {
  kept_total_ += total;
  kept_unattributed_ += unattributed;
}

void NamespaceLedger::take_over(const NamespaceLedger& forgotten) {
  keep(forgotten.kept_total_, forgotten.kept_unattributed_);
  moved_ += forgotten.ours_.counts;
  moved_unattributed_ += forgotten.ours_.unattributed;
  const model::MissedCounts missed = forgotten.row(0).missed;
  const auto add = [](std::optional<std::uint64_t>& to, const std::optional<std::uint64_t>& more) {
    if (more) to = to.value_or(0) + *more;
  };
  add(missed_.created, missed.created);
  add(missed_.overflow, missed.overflow);
  add(missed_.resets_sent, missed.resets_sent);
  add(missed_.queue_drops, missed.queue_drops);
  ours_.total += forgotten.ours_.total;
  ours_.counts += forgotten.ours_.counts;
  ours_.unattributed += forgotten.ours_.unattributed;
  previous_ += forgotten.previous_;
  previously_unattributed_ += forgotten.previously_unattributed_;
}

model::NetnsRow NamespaceLedger::row(double interval_s) const {
  model::NetnsRow row;
  if (after_) {
    row.in_use = current_ ? after_->in_use : ours_.buckets_seen;
    row.limit = after_->limit;
    if (const auto& ports = after_->local_ports) row.local_ports = {ports->first, ports->second};
  }
  if (!row.limit && ours_.limit_seen != 0) row.limit = ours_.limit_seen;
  row.pre_existing = pre_existing_;
  row.counts = ours_.counts;
  row.unattributed = ours_.unattributed;
  row.moved = moved_;
  row.moved_unattributed = moved_unattributed_;
  row.missed = missed_;
  row.created_per_s = model::rate(ours_.counts.created(), previous_.created(), interval_s);
  row.overflow_per_s = model::rate(ours_.counts.overflow(), previous_.overflow(), interval_s);
  fill_kernel(row);
  return row;
}

void NamespaceLedger::fill_kernel(model::NetnsRow& row) const {
  if (after_ && start_) {
    row.kernel.reused = after_->ext.tw_recycled - start_->tw_recycled;
    row.kernel.listen_overflows = after_->ext.listen_overflows - start_->listen_overflows;
    row.kernel.listen_drops = after_->ext.listen_drops - start_->listen_drops;
  }
  // The counters of a namespace go with it: what was counted after the last reading cannot be compared any more.
  if (!(verified_ == ours_.counts)) return;
  if (created_check_) {
    row.kernel.created = created_check_->kernel;
    row.missed.created = created_check_->missed;
    row.reconciled = created_check_->reconciled;
  }
  if (resets_check_) {
    row.kernel.out_resets = resets_check_->kernel;
    row.missed.resets_sent = resets_check_->missed;
  }
  if (queue_check_) {
    row.kernel.listen_drops = queue_check_->kernel;
    row.missed.queue_drops = queue_check_->missed;
  }
  if (gauge_agrees_) row.reconciled = *gauge_agrees_;
  if (overflow_check_) {
    row.kernel.overflow = overflow_check_->kernel;
    row.missed.overflow = overflow_check_->missed;
    if (row.reconciled) row.reconciled = *row.reconciled && overflow_check_->reconciled;
  }
}

}  // namespace twtrace::trace
