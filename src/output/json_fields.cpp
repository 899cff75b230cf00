// SPDX-License-Identifier: Apache-2.0
#include "output/json_fields.hpp"

#include <algorithm>

#include "phrases/losses.hpp"

namespace twtrace::output {

void put_queue(JsonWriter& json, const model::ListenQueue& queue) {
  json.field("netns", queue.netns);
  json.field("netns_id", queue.netns_id);
  json.field("port", queue.port == 0 ? std::nullopt : std::optional(queue.port));
  json.text("service", queue.service->name);
  json.text("comm", queue.comm);
  json.field("length", queue.queue.taken);
  json.field("limit", queue.queue.of);
  json.field("drops", queue.drops);
  json.field("drops_per_s", rounded(queue.drops_per_s));
  json.field("somaxconn", queue.somaxconn);
  json.field("tcp_max_syn_backlog", queue.syn_backlog);
}

namespace {

/// The buckets are those that it holds, or those that were refused.
void put_party(JsonWriter& json, std::string_view key, const std::optional<model::Party>& party) {
  json.object_if(key, party, [&](const model::Party& known) {
    json.text("name", known.name);
    json.text("comm", known.comm);
    json.field("before_start", known.before_start);
    json.field("buckets", known.buckets);
    json.field("per_s", rounded(known.per_s));
    json.field("percent", rounded(100 * known.share));
  });
}

void put_trouble(JsonWriter& json, const model::Trouble& trouble) {
  json.field("kind", model::to_string(trouble.kind));
  json.field("netns", trouble.netns);
  json.field("netns_id", trouble.netns_id);
  json.text("namespace", trouble.netns_name);
  json.field("taken", trouble.use ? std::optional(trouble.use->taken) : std::nullopt);
  json.field("of", trouble.use ? std::optional(trouble.use->of) : std::nullopt);
  put_party(json, "holder", trouble.holder);
  json.object_if("before_start", trouble.older, [&](const model::OlderBuckets& older) {
    json.field("role", model::to_string(older.role));
    json.field("port", older.port == 0 ? std::nullopt : std::optional(older.port));
    json.text("service", older.service);
    json.field("buckets", older.buckets);
  });
  put_party(json, "refused", trouble.refused);
  json.field("refused_per_s", rounded(trouble.refused_per_s));
  put_peer(json, "destination", trouble.destination);
  put_own_range(json, trouble.own_ports);
  put_party(json, "unconnected", trouble.unconnected);
  json.field("no_port_per_s", rounded(trouble.no_port_per_s));
  json.object_if("queue", trouble.queue, [&](const model::ListenQueue& queue) { put_queue(json, queue); });
}

}  // namespace

void put_peer(JsonWriter& json, std::string_view key, const std::optional<model::Peer>& peer) {
  json.object_if(key, peer, [&](const model::Peer& known) {
    json.text("address", known.address);
    json.field("port", known.port);
  });
}

void put_own_range(JsonWriter& json, const std::optional<model::PortRange>& range) {
  json.object_if("own_range", range, [&](const model::PortRange& own) {
    json.field("first", own.first);
    json.field("last", own.last);
  });
}

void put_cross_check(JsonWriter& json, const model::NetnsRow& row) {
  json.object("kernel", [&] {
    json.field("created", row.kernel.created);
    json.field("overflow", row.kernel.overflow);
    json.field("reused", row.kernel.reused);
    json.field("out_resets", row.kernel.out_resets);
    json.field("listen_overflows", row.kernel.listen_overflows);
    json.field("listen_drops", row.kernel.listen_drops);
  });
  json.object("missed", [&] {
    json.field("created", row.missed.created);
    json.field("overflow", row.missed.overflow);
    json.field("resets_sent", row.missed.resets_sent);
    json.field("queue_drops", row.missed.queue_drops);
  });
  json.field("reconciled", row.reconciled);
}

void put_counts(JsonWriter& json, const model::Counters& counts, const model::Sight& sees,
                std::initializer_list<std::string_view> but) {
  for (const model::CountName& count : model::kCountNames) {
    if (std::find(but.begin(), but.end(), count.name) != but.end()) continue;
    json.field(count.name, count.is_known(sees) ? std::optional(count.of(counts)) : std::nullopt);
  }
}

void put_totals(JsonWriter& json, const model::Counters& totals, const model::Counters& unattributed,
                const model::Sight& sees) {
  json.object("totals", [&] {
    put_counts(json, totals, sees);
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
    json.field("sees_removal", probe.sees.removal);
  });
}

void put_pod(JsonWriter& json, const base::Pod& pod) {
  json.text("namespace", pod.ns);
  json.text("name", pod.name);
  json.text("uid", pod.uid);
}

void put_troubles(JsonWriter& json, const std::vector<model::Trouble>& troubles) {
  json.objects("troubles", troubles, [&](const model::Trouble& trouble) { put_trouble(json, trouble); });
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
