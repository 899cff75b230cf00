// SPDX-License-Identifier: Apache-2.0
#include "app/capture_progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "model/fill.hpp"
#include "phrases/namespace.hpp"

namespace twtrace::app {
namespace {

constexpr double kNsPerS = 1e9;
constexpr std::size_t kNameColumns = 24;

/// In whole seconds: "7s", "3m05s".
std::string seconds_words(double seconds) {
  constexpr double kMinute = 60;
  const double whole = std::max(0.0, seconds);
  return whole < kMinute ? fmt::format("{:.0f}s", whole) : base::duration(whole);
}

std::string fill_words(const model::NetnsRow& netns) {
  std::string words = netns.in_use ? base::grouped(*netns.in_use) : "-";
  if (netns.limit) words += " of " + base::grouped(*netns.limit);
  words += " in use";
  if (const auto percent = model::percent_full(netns.in_use, netns.limit)) words += fmt::format(" ({}%)", *percent);
  if (netns.name == "host") return words;
  const std::string name = base::sanitize_terminal(phrases::netns_words(netns.netns, netns.name));
  return words + " in netns " + base::fit(name, kNameColumns);
}

}  // namespace

std::string table_words(const model::Snapshot& head, const view::Selector& selector) {
  const view::Selector wanted = selector.only(view::Key::kNetns);
  const model::NetnsRow* fullest = nullptr;
  std::uint64_t refused = 0;
  for (const model::NetnsRow& netns : head.namespaces) {
    if (!wanted.accepts(view::subject_of(netns))) continue;
    if (fullest == nullptr && !netns.gone) fullest = &netns;
    refused += netns.counts.refused();
  }
  if (fullest == nullptr) return "";
  return fmt::format("{}, {}{} refused", fill_words(*fullest), refused == 0 ? "" : "! ", fmt::group_digits(refused));
}

void CaptureProgress::begin(std::string phase, std::optional<double> seconds) {
  phase_ = std::move(phase);
  began_ns_ = clock_.monotonic_ns();
  seconds_ = seconds;
}

void CaptureProgress::show() {
  if (phase_.empty()) return;
  const double ran = static_cast<double>(clock_.monotonic_ns() - began_ns_) / kNsPerS;
  const std::string time = seconds_ ? seconds_words(std::ceil(*seconds_ - ran)) + " left"
                                    : seconds_words(std::floor(ran)) + ", Ctrl-C ends it";
  show_(phase_ + ", " + time + (numbers_.empty() ? "" : ": " + numbers_));
}

ReadingProgress::ReadingProgress(model::Recording& recording, const std::string& name, const base::Clock& clock,
                                 ShowStatus show)
    : recording_(recording), name_(base::sanitize_terminal(name)), clock_(clock), show_(std::move(show)) {
  constexpr std::uint64_t kPatienceNs = 500'000'000;
  next_ns_ = clock_.monotonic_ns() + kPatienceNs;
}

base::Result<void> ReadingProgress::for_each(model::Wanted wanted, const model::SampleVisitor& visit) {
  ++pass_;
  return recording_.for_each(wanted, [&](const model::SnapshotPtr& head, const model::Source& source) {
    tell(head->time_unix_ms);
    return visit(head, source);
  });
}

void ReadingProgress::tell(std::int64_t read_until_unix_ms) {
  constexpr std::uint64_t kEveryNs = 200'000'000;
  constexpr std::int64_t kAll = 100;
  const std::uint64_t now_ns = clock_.monotonic_ns();
  if (now_ns < next_ns_) return;
  next_ns_ = now_ns + kEveryNs;
  const model::CaptureInfo& info = recording_.info();
  const std::int64_t read_ms = read_until_unix_ms - info.started_unix_ms;
  // A capture that was cut does not tell when it ended, and a clock that was set makes nonsense of both.
  const std::int64_t whole_ms = info.ended_unix_ms.value_or(0) - info.started_unix_ms;
  const std::string part = whole_ms <= 0
                               ? base::duration(static_cast<double>(std::max<std::int64_t>(read_ms, 0)) / 1e3)
                               : fmt::format("{}%", std::clamp<std::int64_t>(read_ms * kAll / whole_ms, 0, kAll));
  show_(fmt::format("reading {}, pass {}: {}", name_, pass_, part));
}

}  // namespace twtrace::app
