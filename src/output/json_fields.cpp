// SPDX-License-Identifier: Apache-2.0
#include "output/json_fields.hpp"

#include <algorithm>

#include "phrases/losses.hpp"

namespace twtrace::output {

void put_counts(JsonWriter& json, const model::Counters& counts, bool sees_removal,
                std::initializer_list<std::string_view> but) {
  for (const model::CountName& count : model::kCountNames) {
    if (std::find(but.begin(), but.end(), count.name) != but.end()) continue;
    json.field(count.name, count.of_removal && !sees_removal ? std::nullopt : std::optional(count.of(counts)));
  }
}

void put_totals(JsonWriter& json, const model::Counters& totals, const model::Counters& unattributed,
                bool sees_removal) {
  json.object("totals", [&] {
    put_counts(json, totals, sees_removal);
    json.field("unattributed", unattributed.created());
    json.field("unattributed_overflow", unattributed.overflow());
    json.field("unattributed_no_memory", unattributed.no_memory);
  });
}

void put_host(JsonWriter& json, const model::HostInfo& host) {
  json.object("host", [&] {
    json.text("name", host.name);
    json.text("kernel", host.kernel);
  });
}

void put_probe(JsonWriter& json, const model::ProbeInfo& probe) {
  json.object("probe", [&] {
    json.field("backend", probe.backend);
    json.texts("fallbacks", probe.fallbacks);
    json.field("sees_removal", probe.sees_removal);
  });
}

void put_pod(JsonWriter& json, const base::Pod& pod) {
  json.text("namespace", pod.ns);
  json.text("name", pod.name);
  json.text("uid", pod.uid);
}

void put_lost(JsonWriter& json, const model::Losses& lost) {
  json.object("lost", [&] {
    for (const phrases::Loss& loss : phrases::losses(lost)) json.field(loss.name, loss.count);
  });
}

void put_cost(JsonWriter& json, const model::Cost& cost) {
  json.object("cost", [&] {
    json.field("bpf_run_ns_per_event", cost.bpf_run_ns_per_event);
    json.field("cpu_percent", rounded(cost.cpu_percent));
    json.field("rss_bytes", cost.rss_bytes);
  });
}

}  // namespace twtrace::output
