// SPDX-License-Identifier: Apache-2.0
#include "phrases/namespace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::phrases {
namespace {

std::string number(const std::optional<std::uint64_t>& value) { return value ? base::grouped(*value) : "-"; }

Remark overflow_remark(const model::NetnsRow& netns) {
  if (netns.counts.overflow() == 0 && netns.overflow_per_s == 0) return {"overflow 0"};
  return {fmt::format("! overflow {}/s total {}", base::rate(netns.overflow_per_s),
                      fmt::group_digits(netns.counts.overflow())),
          Tone::kAlarm};
}

Remark cross_check_remark(const model::NetnsRow& netns) {
  if (!netns.reconciled) return {"kernel n/a", Tone::kQuiet};
  return *netns.reconciled ? Remark{"= kernel", Tone::kGood} : Remark{"!= kernel", Tone::kWarning};
}

std::vector<Remark> flow_remarks(const model::NetnsRow& netns) {
  std::vector<Remark> remarks{{"created " + base::rate(netns.created_per_s) + "/s"}, overflow_remark(netns)};
  if (netns.counts.no_memory != 0) {
    remarks.push_back({"! no_memory " + base::grouped(netns.counts.no_memory), Tone::kAlarm});
  }
  return remarks;
}

/// Returns whether it appended anything.
bool append_missed(std::vector<Remark>& remarks, const model::MissedCounts& missed) {
  const std::size_t before = remarks.size();
  const auto add = [&remarks](const std::optional<std::uint64_t>& count, const char* what) {
    if (count.value_or(0) == 0) return;
    remarks.push_back({fmt::format("missed {} {}", fmt::group_digits(*count), what), Tone::kWarning});
  };
  add(missed.created, "created");
  add(missed.overflow, "overflow");
  add(missed.resets_sent, "resets sent");
  add(missed.queue_drops, "queue drops");
  return remarks.size() != before;
}

}  // namespace

std::string netns_words(std::uint32_t netns, const std::string& name) {
  return name.empty() ? std::to_string(netns) : name;
}

std::string fill_words(const model::NetnsRow& netns) { return number(netns.in_use) + '/' + number(netns.limit); }

Remark forecast_remark(const model::Forecast& forecast) {
  using State = model::Forecast::State;
  const std::string buckets = base::grouped(forecast.buckets);
  const std::string in_seconds = forecast.seconds ? fmt::format("in ~{:.0f} s", std::ceil(*forecast.seconds)) : "";
  switch (forecast.state) {
    case State::kUnknown:
      break;
    case State::kFull:
      return {fmt::format("! FULL, needs ~{}", buckets), Tone::kAlarm};
    case State::kFilling:
      if (forecast.seconds) return {"! full " + in_seconds, Tone::kAlarm};
      return {fmt::format("filling to ~{}", buckets), Tone::kGood};
    case State::kSteady:
      return {fmt::format("level at {}", buckets), Tone::kGood};
    case State::kDraining:
      if (forecast.seconds) return {"draining, empty " + in_seconds, Tone::kGood};
      return {fmt::format("draining to ~{}", buckets), Tone::kGood};
  }
  return {};
}

std::vector<Remark> traffic_remarks(const model::NetnsRow& netns) {
  std::vector<Remark> remarks = flow_remarks(netns);
  if (!append_missed(remarks, netns.missed)) remarks.push_back(cross_check_remark(netns));
  return remarks;
}

std::vector<Remark> remainder_remarks(const std::vector<model::NetnsRow>& namespaces, std::size_t first) {
  model::NetnsRow sum;
  sum.missed = {0, 0, 0, 0};
  sum.reconciled = true;
  std::size_t unequal = 0;
  for (std::size_t i = first; i < namespaces.size(); ++i) {
    const model::NetnsRow& netns = namespaces[i];
    sum.counts += netns.counts;
    sum.created_per_s += netns.created_per_s;
    sum.overflow_per_s += netns.overflow_per_s;
    *sum.missed.created += netns.missed.created.value_or(0);
    *sum.missed.overflow += netns.missed.overflow.value_or(0);
    *sum.missed.resets_sent += netns.missed.resets_sent.value_or(0);
    *sum.missed.queue_drops += netns.missed.queue_drops.value_or(0);
    if (netns.reconciled == false) ++unequal;
    if (!netns.reconciled) sum.reconciled.reset();
  }
  std::vector<Remark> remarks = flow_remarks(sum);
  const bool missed = append_missed(remarks, sum.missed);
  if (unequal != 0) {
    remarks.push_back({fmt::format("{} != kernel", unequal), Tone::kWarning});
  } else if (!missed) {
    remarks.push_back(cross_check_remark(sum));
  }
  return remarks;
}

std::string remainder_words(const std::vector<model::NetnsRow>& namespaces, std::size_t first) {
  const std::size_t more = namespaces.size() - first;
  const auto gone =
      static_cast<std::size_t>(std::count_if(namespaces.begin() + static_cast<std::ptrdiff_t>(first), namespaces.end(),
                                             [](const model::NetnsRow& netns) { return netns.gone; }));
  std::string words = fmt::format("+{} more namespace{}", fmt::group_digits(more), more == 1 ? "" : "s");
  if (gone == more && gone != 0) return words + (gone == 1 ? ", gone" : ", all gone");
  if (gone != 0) words += fmt::format(", {} of them gone", fmt::group_digits(gone));
  return words;
}

std::string no_netns_words(const view::Selector& selector, const std::vector<model::NetnsRow>& namespaces) {
  const view::Selector asked_for = selector.only(view::Key::kNetns);
  const auto is_asked_for = [&](const model::NetnsRow& netns) { return asked_for.accepts(view::subject_of(netns)); };
  if (asked_for.empty() || std::any_of(namespaces.begin(), namespaces.end(), is_asked_for)) return {};
  const std::string& pattern = asked_for.terms().front().pattern.text();
  if (pattern.empty()) return "the network namespace that was asked for is not there";
  return fmt::format("no network namespace matches '{}' yet", base::sanitize_terminal(pattern));
}

}  // namespace twtrace::phrases
