// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "report/collector.hpp"
#include "report/findings.hpp"
#include "report/nobody.hpp"
#include "report/owners.hpp"
#include "report/troubles.hpp"
#include "report/verdict.hpp"

namespace twtrace::report {
namespace {

struct Read {
  Report report;
  base::Result<void> samples;   ///< why reading them ended early
  base::Result<void> rows;      ///< the same of rows
  std::uint64_t rows_read = 0;  ///< samples whose rows could be read
};

/// The last sample that is at least so much older than the end; none if the capture is shorter.
std::optional<std::uint64_t> last_before(const std::vector<std::int64_t>& ends_unix_ms, std::int64_t before_ms) {
  for (std::size_t i = ends_unix_ms.size(); i-- != 0;) {
    if (ends_unix_ms.back() - ends_unix_ms[i] >= before_ms) return i;
  }
  return std::nullopt;
}

/// The first `most` samples, and the rows at the end of each phase: which samples these are is known only when all have
/// been seen.
Read read_samples(model::Recording& recording, const view::Selector& netns, Purpose purpose, std::uint64_t most) {
  Read read;
  Collector collector(recording.info(), netns);
  std::uint64_t samples = 0;
  std::vector<std::int64_t> ends_unix_ms;
  read.samples = recording.for_each(model::Wanted::kHeads, [&](const model::SnapshotPtr& head, const model::Source&) {
    if (samples == most) return false;
    collector.add(*head);
    ends_unix_ms.push_back(head->time_unix_ms);
    ++samples;
    return true;
  });
  const auto last_samples = collector.last_samples();
  read.report = std::move(collector).finish();
  std::array<std::optional<std::uint64_t>, kQuietS.size()> quiet_begins;
  for (std::size_t i = 0; i < kQuietS.size() && purpose == Purpose::kReport; ++i) {
    quiet_begins[i] = last_before(ends_unix_ms, kQuietS[i] * 1000);
  }
  OwnerCollector owners(read.report.phases.size(), netns, purpose);
  std::optional<TroubleCollector> troubles;
  if (purpose == Purpose::kReport) troubles.emplace(read.report);
  read.rows = recording.for_each(model::Wanted::kRows, [&](const model::SnapshotPtr&, const model::Source& source) {
    if (read.rows_read == samples) return false;
    if (read.rows_read == 0) owners.begin(source);
    const auto phase = std::find(last_samples.begin(), last_samples.end(), read.rows_read);
    if (troubles) troubles->add(source, read.rows_read, read.rows_read + 1 == samples);
    for (std::size_t i = 0; i < kQuietS.size(); ++i) {
      if (read.rows_read == quiet_begins[i]) owners.begin_quiet(source, kQuietS[i]);
    }
    ++read.rows_read;
    if (phase != last_samples.end()) {
      owners.add(source, static_cast<std::size_t>(phase - last_samples.begin()), read.rows_read == samples);
    }
    return true;
  });
  std::move(owners).finish(read.report);
  if (troubles) read.report.troubles = std::move(*troubles).finish();
  return read;
}

/// Judges the budgets that the capture was given.
std::vector<Verdict> judge_stored(const Report& report, Partial partial) {
  std::vector<Verdict> verdicts;
  Judge judge(report, partial);
  for (const std::string& text : report.info.budgets) {
    const auto budget = parse_budget(text);
    if (budget) {
      verdicts.push_back(judge.judge(*budget));
      continue;
    }
    Verdict verdict;
    verdict.budget.text = text;
    verdict.state = Verdict::State::kNotMeasurable;
    verdict.words = "this version of twtrace does not take it: " + budget.error().what;
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

/// Appends the verdicts on the capture's own budgets. `whole` is the report itself unless that leaves out namespaces.
void append_stored(Report& report, const Report& whole, Partial partial) {
  const bool is_part = &whole != &report;
  const std::size_t judged = is_part ? 0 : report.verdicts.size();  // by the same numbers
  for (Verdict& verdict : judge_stored(whole, partial)) {
    const auto end = report.verdicts.begin() + static_cast<std::ptrdiff_t>(judged);
    const auto same = [&](const Verdict& known) { return known.budget.text == verdict.budget.text; };
    if (std::any_of(report.verdicts.begin(), end, same)) continue;
    if (is_part && !verdict.budget.selector.asks(view::Key::kNetns)) verdict.words += ", in the whole capture";
    report.verdicts.push_back(std::move(verdict));
  }
}

/// Leaves the owners that were asked for.
void keep_owners(Report& report, const view::Selector& asked_for) {
  std::vector<bool> keep;
  for (const Owner& owner : report.owners) keep.push_back(asked_for.accepts(view::subject_of(owner.row)));
  std::erase_if(report.ports, [&](const PortPeak& peak) { return !peak.owner || !keep[*peak.owner]; });
  std::erase_if(report.peers, [&](const PeerPart& peer) { return !keep[peer.owner]; });
  std::vector<std::size_t> place(report.owners.size());
  std::vector<Owner> kept;
  for (std::size_t i = 0; i < report.owners.size(); ++i) {
    place[i] = kept.size();
    if (keep[i]) kept.push_back(std::move(report.owners[i]));
  }
  report.owners = std::move(kept);
  for (PortPeak& peak : report.ports) peak.owner = place[*peak.owner];
  for (PeerPart& peer : report.peers) peer.owner = place[peer.owner];
}

}  // namespace

namespace {

/// Everything that the samples of these namespaces say, without verdicts.
base::Result<Report> collect(model::Recording& recording, const view::Selector& netns, Purpose purpose) {
  Read read = read_samples(recording, netns, purpose, std::numeric_limits<std::uint64_t>::max());
  auto error = !read.samples ? read.samples : read.rows;
  if (read.rows_read < read.report.samples) {  // what comes behind the last sound rows is nobody's
    error = read.rows;
    read = read_samples(recording, netns, purpose, read.rows_read);
  }
  if (!error && read.report.samples == 0) return tl::unexpected(error.error());
  Report report = std::move(read.report);
  if (!error) report.read_error = error.error().what;
  return report;
}

}  // namespace

base::Result<Report> build_report(model::Recording& recording, const std::vector<Budget>& budgets, Partial partial,
                                  const Selection& selection, Purpose purpose) {
  const view::Selector netns = selection.selector.only(view::Key::kNetns);
  const view::Selector owners = selection.selector.without(view::Key::kNetns);
  auto collected = collect(recording, netns, purpose);
  if (!collected) return collected;
  Report& report = *collected;
  report.selection = selection.text;
  report.by_netns = !netns.empty();
  if (!budgets.empty()) {
    Judge judge(report, partial);
    for (const Budget& budget : budgets) report.verdicts.push_back(judge.judge(budget));
  }
  if (purpose == Purpose::kReport && !report.info.budgets.empty() && netns.empty()) {
    append_stored(report, report, partial);
  } else if (purpose == Purpose::kReport && !report.info.budgets.empty()) {
    auto whole = collect(recording, {}, Purpose::kDiff);  // budgets need only counts
    if (!whole) return whole;
    append_stored(report, *whole, partial);
  }
  if (!owners.empty()) keep_owners(report, owners);
  report.none_selected = !owners.empty() && report.owners.empty();
  report.none_ran = report.none_selected && !saw_process(report.info, owners);
  report.peers.resize(std::min(report.peers.size(), kMaxPeers));
  if (purpose == Purpose::kReport) report.findings = findings(report);
  return collected;
}

}  // namespace twtrace::report
