// SPDX-License-Identifier: Apache-2.0
#include "output/json_fields.hpp"

#include "phrases/losses.hpp"

namespace twtrace::output {

void put_counts(Json& object, const model::Counters& counts, bool sees_removal) {
  object["created"] = counts.created();
  object["time_wait"] = counts.time_wait;
  object["fin_wait2"] = counts.fin_wait2;
  object["overflow"] = counts.overflow();
  object["overflow_time_wait"] = counts.overflow_time_wait;
  object["overflow_fin_wait2"] = counts.overflow_fin_wait2;
  object["no_memory"] = counts.no_memory;
  const auto put = [&](const char* key, std::uint64_t count) {
    object[key] = sees_removal ? Json(count) : Json(nullptr);
  };
  put("reused", counts.reused);
  put("recycled", counts.recycled);
  put("expired", counts.expired);
  put("purged", counts.purged);
}

Json totals_json(const model::Counters& totals, const model::Counters& unattributed, bool sees_removal) {
  Json object;
  put_counts(object, totals, sees_removal);
  object["unattributed"] = unattributed.created();
  object["unattributed_overflow"] = unattributed.overflow();
  object["unattributed_no_memory"] = unattributed.no_memory;
  return object;
}

Json host_json(const model::HostInfo& host) {
  Json object;
  put_text(object, "name", host.name);
  put_text(object, "kernel", host.kernel);
  return object;
}

Json probe_json(const model::ProbeInfo& probe) {
  Json object{{"backend", probe.backend}, {"fallbacks", Json::array()}};
  for (const std::string& fallback : probe.fallbacks) object["fallbacks"].push_back(fallback);
  object["sees_removal"] = probe.sees_removal;
  return object;
}

Json lost_json(const model::Losses& lost) {
  Json object{{"events", lost.events}, {"counts", lost.counts}};
  for (const phrases::Loss& loss : phrases::losses(lost)) object[loss.name] = loss.count;
  object["recursion_misses"] = nullable(lost.recursion_misses);
  return object;
}

}  // namespace twtrace::output
