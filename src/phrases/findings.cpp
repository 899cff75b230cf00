// SPDX-License-Identifier: Apache-2.0
#include "phrases/findings.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/escape.hpp"
#include "model/forecast.hpp"

namespace twtrace::phrases {
namespace {

void refusals(const model::Row& row, std::vector<RowFinding>& findings) {
  const auto add = [&findings](std::uint64_t count, const char* what) {
    if (count != 0) findings.push_back({true, fmt::format("{} refused {}", fmt::group_digits(count), what), ""});
  };
  add(row.counts.overflow_fin_wait2, "at the FIN_WAIT2 stage: peers that close or send get a reset");
  add(row.counts.overflow_time_wait, "at the TIME_WAIT stage: late segments find no socket");
  add(row.counts.no_memory, "because the kernel had no memory");
}

void ports(const std::vector<model::Row>& peers, std::vector<RowFinding>& findings) {
  for (const model::Row& peer : peers) {
    if (!peer.use || !peer.peer || peer.use->of == 0) continue;
    const std::uint64_t percent = peer.use->taken * 100 / peer.use->of;
    if (percent < kManyPortsPercent) continue;
    findings.push_back({true,
                        fmt::format("{}% of the local ports towards {} port {} are taken", percent,
                                    base::sanitize_terminal(peer.peer->address), peer.peer->port.value_or(0)),
                        "connect() fails if none is left: keep connections open, or add addresses"});
  }
}

void share_of_table(const model::Row& row, const model::NetnsRow& netns, std::vector<RowFinding>& findings) {
  if (row.kind != model::RowKind::kNormal || !row.role || netns.limit.value_or(0) == 0) return;
  const double holds = (row.created_per_s + row.overflow_per_s) * model::kBucketLifetimeS;
  if (holds < kLargeShareOfTable * static_cast<double>(*netns.limit)) return;
  const bool client = *row.role == model::Role::kClient;
  findings.push_back(
      {false,
       fmt::format("this rate alone needs {} of the {} places: it {}",
                   fmt::group_digits(static_cast<std::uint64_t>(std::llround(holds))), fmt::group_digits(*netns.limit),
                   client ? "connects for every request" : "closes first"),
       role_remedy(*row.role)});
}

}  // namespace

std::string role_remedy(model::Role role) {
  return role == model::Role::kClient ? "keep connections open (keep-alive, a pool)"
                                      : "let its clients close first (its idle timeout must be longer than theirs), or "
                                        "keep connections open (keep-alive)";
}

std::vector<RowFinding> row_findings(const model::Row& row, const model::NetnsRow* netns,
                                     const std::vector<model::Row>& peers) {
  std::vector<RowFinding> findings;
  refusals(row, findings);
  ports(peers, findings);
  if (netns != nullptr) share_of_table(row, *netns, findings);
  if (row.attribution == model::Attribution::kCgroup) {
    findings.push_back({false, "nobody was seen closing: only the service and the uid are known", ""});
  }
  return findings;
}

}  // namespace twtrace::phrases
