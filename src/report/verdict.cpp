// SPDX-License-Identifier: Apache-2.0
#include "report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/measure.hpp"
#include "report/missing.hpp"
#include "report/unseen.hpp"

namespace twtrace::report {
namespace {

using model::Counters;

bool in_scope(const Scope& scope, const Owner& owner) {
  return scope.netns == nullptr ||
         (owner.row.netns_id == scope.netns->last.id && owner.row.netns == scope.netns->last.netns);
}

/// An owner's part of what `count` counts, in the phases of the scope.
std::uint64_t part_of(model::CountOf count, const Scope& scope, const Owner& owner) {
  const bool to_the_end = owner.phases.empty() || scope.last_phase >= owner.phases.size() - 1;
  if (scope.first_phase == 0 && to_the_end) return count(owner.row.counts);
  std::uint64_t part = 0;
  for (std::size_t i = scope.first_phase; i < owner.phases.size() && i <= scope.last_phase; ++i) {
    part += count(owner.phases[i]);
  }
  return part;
}

bool has_culprit(Metric metric) {
  return info(metric).count != nullptr || metric == Metric::kInUsePeak || metric == Metric::kCreatedPerSPeak;
}

/// Who held more than half of a table when a sample saw it full, if that is an owner.
const model::Party* holder_of(const Report& report, const Scope& scope) {
  const auto full = std::find_if(report.troubles.begin(), report.troubles.end(), [&](const model::Trouble& trouble) {
    return trouble.kind == model::Trouble::Kind::kFull && scope.netns != nullptr &&
           trouble.netns_id == scope.netns->last.id;
  });
  const bool is_known = full != report.troubles.end() && full->holder && !full->older;
  return is_known && !full->holder->before_start && full->holder->share > 0.5 ? &*full->holder : nullptr;
}

bool is_of(const model::Party& party, const model::Row& row) {
  if (row.service) return row.service->name == party.name;
  return row.process && row.process->comm == party.name;
}

/// False if it is not known who held the table.
bool name_holder(Verdict& verdict, const Asked& asked, const Scope& scope) {
  const model::Party* const holder = holder_of(asked.report, scope);
  const Owner* largest = nullptr;
  for (std::size_t i = 0; holder != nullptr && i < asked.owners.size(); ++i) {
    const Owner& owner = asked.report.owners[i];
    if (!asked.owners[i] || !in_scope(scope, owner) || !is_of(*holder, owner.row)) continue;
    if (largest == nullptr || owner.row.counts.created() > largest->row.counts.created()) largest = &owner;
  }
  if (largest == nullptr) return false;
  verdict.culprit = largest->row;
  verdict.culprit_count = holder->buckets;
  verdict.culprit_share = holder->share;
  return true;
}

/// `measured`: has what no row has, too, where the metric is a count.
void name_culprit(Verdict& verdict, const Asked& asked, const Measured& measured) {
  const Scope& scope = measured.scope;
  if (!has_culprit(verdict.budget.metric)) return;
  // A table is filled by the buckets that were created, and by those from before the start.
  const bool is_table = verdict.budget.metric == Metric::kInUsePeak;
  if (is_table && name_holder(verdict, asked, scope)) return;
  const model::CountOf known = info(verdict.budget.metric).count;
  const model::CountOf count = known != nullptr ? known : model::count_of<&Counters::created>;
  std::uint64_t all = 0;
  const Owner* culprit = nullptr;
  for (std::size_t i = 0; i < asked.owners.size(); ++i) {
    const Owner& owner = asked.report.owners[i];
    if (!asked.owners[i] || !in_scope(scope, owner)) continue;
    const std::uint64_t part = part_of(count, scope, owner) + (is_table ? owner.before_start : 0);
    all += part;
    if (part <= verdict.culprit_count) continue;
    culprit = &owner;
    verdict.culprit_count = part;
  }
  const bool is_count = known != nullptr && !verdict.budget.percent && verdict.budget.metric != Metric::kCreatedRatio;
  if (is_count) all = std::max(all, static_cast<std::uint64_t>(*measured.value));
  if (culprit != nullptr) verdict.culprit = culprit->row;
  if (all != 0) verdict.culprit_share = static_cast<double>(verdict.culprit_count) / static_cast<double>(all);
  if (all == 0 && is_table) {
    verdict.words += "; nothing was created there until then, so its buckets are older than the capture";
  }
}

/// More of the capture can only make the measured value larger, and a larger one is a breach, too.
bool only_grows(const Budget& budget) {
  const bool share = budget.percent && budget.metric != Metric::kInUsePeak && budget.metric != Metric::kPortsTakenPeak;
  return (budget.op == view::Op::kGreater || budget.op == view::Op::kGreaterEqual) && !share &&
         budget.metric != Metric::kCreatedRatio;
}

/// Whether what no BPF program saw decides if the budget is exceeded.
bool is_open(const Budget& budget, const Measured& measured) {
  if (!measured.range) return false;
  const auto [least, most] = *measured.range;
  const auto exceeds = [&](double value) { return view::holds(value, budget.op, budget.value); };
  const bool equality = budget.op == view::Op::kEqual || budget.op == view::Op::kNotEqual;
  return exceeds(least) != exceeds(most) || (equality && least < budget.value && budget.value < most);
}

std::string missing_in(const Asked& asked, const Asked* baseline) {
  std::string words = missing_for(asked);
  if (words.empty() && baseline != nullptr && asked.budget.metric == Metric::kCreatedRatio) {
    words = missing_for(*baseline);
  }
  return words;
}

Verdict not_measurable(Verdict verdict, std::string why) {
  verdict.state = Verdict::State::kNotMeasurable;
  verdict.words = std::move(why);
  return verdict;
}

}  // namespace

Judge::Judge(const Report& report, Partial partial) : report_(report), partial_(partial) {}

Judge::Judge(const Report& report, const Report& baseline, Partial partial)
    : report_(report), baseline_(std::in_place, baseline), partial_(partial) {}

Verdict Judge::judge(const Budget& budget) {
  Verdict verdict;
  verdict.budget = budget;
  const std::optional<Asked> asked = report_.asked_for(budget);
  const std::optional<Asked> before = baseline_ ? baseline_->asked_for(budget) : std::nullopt;
  if (!asked || (baseline_ && !before)) {
    return not_measurable(std::move(verdict),
                          "the capture has too many long names for so many budgets; judge fewer at one time");
  }
  const Asked* const baseline = before ? &*before : nullptr;
  const Measured measured = measure(*asked, baseline, report_.namespaces());
  verdict.measured = measured.value;
  if (!measured.value) return not_measurable(std::move(verdict), measured.words);
  const bool exceeded = view::holds(*measured.value, budget.op, budget.value);
  if (partial_ == Partial::kFails && !(exceeded && only_grows(budget))) {
    if (const std::string gone = missing_in(*asked, baseline); !gone.empty()) {
      return not_measurable(std::move(verdict), fmt::format("{}; the rest has {}", gone, measured.words));
    }
  }
  if (is_open(budget, measured) && !measured.open.empty()) {
    return not_measurable(std::move(verdict), fmt::format("{}; the rest has {}", measured.open, measured.words));
  }
  if (is_open(budget, measured)) {
    const Unseen more = unseen(*asked);
    return not_measurable(std::move(verdict),
                          more.all() == 0 ? fmt::format("BEFORE lacks what no BPF program saw; {}", measured.words)
                                          : fmt::format("there may be {} more {}; without them it is {}",
                                                        fmt::group_digits(more.all()), more.why, measured.words));
  }
  verdict.words = measured.words;
  if (!exceeded) return verdict;
  verdict.state = Verdict::State::kBreached;
  name_culprit(verdict, *asked, measured);
  return verdict;
}

}  // namespace twtrace::report
