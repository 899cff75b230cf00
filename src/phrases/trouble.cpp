// SPDX-License-Identifier: Apache-2.0
#include "phrases/trouble.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.hpp"
#include "base/format.hpp"
#include "model/fill.hpp"
#include "phrases/endpoint.hpp"

namespace twtrace::phrases {
namespace {

using model::Party;
using model::Trouble;

int percent(double share) { return static_cast<int>(share * 100); }

/// Scopes and slices say who logged in, not what runs.
bool says_little(const std::string& service) { return service.ends_with(".scope") || service.ends_with(".slice"); }

std::string party_words(const Party& party) {
  if (party.name.empty()) return "an unknown process";
  if (says_little(party.name) && !party.comm.empty()) return party.comm + " of " + party.name;
  return party.name;
}

std::string use_words(const model::Use& use) {
  return fmt::format("{} of {}", fmt::group_digits(use.taken), fmt::group_digits(use.of));
}

bool is_host(const Trouble& trouble) { return trouble.netns_name == "host"; }
std::string netns_of(const Trouble& trouble) { return netns_words(trouble.netns, trouble.netns_name); }

/// "FULL ", or "FULL netns web: ".
std::string begin(const std::string& word, const Trouble& trouble) {
  return is_host(trouble) ? word + ' ' : word + " netns " + netns_of(trouble) + ": ";
}

std::string held_words(const Trouble& trouble, Tense tense) {
  if (!trouble.use) return "table";
  if (!trouble.holder) return use_words(*trouble.use);
  const Party& holder = *trouble.holder;
  // Not holder.share: after the limit was changed, what is in use is not the limit, whose part this reads as.
  const std::uint64_t limit = std::max<std::uint64_t>(trouble.use->of, 1);
  const std::string part =
      fmt::format("{} of {} ({}%)", fmt::group_digits(holder.buckets), fmt::group_digits(trouble.use->of),
                  std::min<std::uint64_t>(100, holder.buckets * 100 / limit));
  return holder.before_start ? part + " were there before start"
                             : party_words(holder) + (tense == Tense::kNow ? " holds " : " held ") + part;
}

/// "990 on :80, where nginx.service listens", "all to :6379, where worker.service connects".
std::string older_words(const model::OlderBuckets& older, std::uint64_t all, Tense tense) {
  const bool server = older.role == model::Role::kServer;
  const std::string place = older.port == 0 ? "many ports" : fmt::format(":{}", older.port);
  const std::string count = older.buckets >= all ? "all" : base::grouped(older.buckets);
  std::string words = fmt::format("{} {} {}", count, server ? "on" : "to", place);
  if (older.service.empty()) return words;
  const char* const does = tense == Tense::kNow ? (server ? "listens" : "connects") : server ? "listened" : "connected";
  words += fmt::format(", where {} {}", older.service, does);
  return words;
}

std::string destination_words(const model::Peer& to) {
  if (!to.address.empty()) return endpoint_words(to.address, to.port.value_or(0));
  return to.port ? fmt::format("port {}", *to.port) : "many destinations";
}

/// Who connects to the destination, with a blank behind it: who holds the ports, or finds none, or did so before start.
std::string client_words(const Trouble& trouble) {
  if (trouble.holder) return party_words(*trouble.holder) + " ";
  if (trouble.unconnected) return party_words(*trouble.unconnected) + " ";
  return trouble.older && !trouble.older->service.empty() ? trouble.older->service + " " : "";
}

std::string ports_words(const Trouble& trouble, Tense tense) {
  const bool fails = trouble.unconnected || trouble.no_port_per_s > 0;
  if (!trouble.destination && !fails && trouble.use) {
    return std::string("bind() ") + (tense == Tense::kNow ? "has taken " : "had taken ") + use_words(*trouble.use) +
           " ports";
  }
  if (!trouble.destination) {
    return std::string("bind() ") + (tense == Tense::kNow ? "finds" : "found") + " no free local port" +
           (trouble.use ? ": " + use_words(*trouble.use) + " taken" : "");
  }
  const std::string own =
      trouble.own_ports ? fmt::format(" of its own range {}-{}", trouble.own_ports->first, trouble.own_ports->last)
                        : "";
  const std::string use = trouble.use            ? use_words(*trouble.use) + " ports" + own + " taken"
                          : tense == Tense::kNow ? "no local port is free"
                                                 : "no local port was free";
  return fmt::format("{}-> {} {}", client_words(trouble), destination_words(*trouble.destination), use);
}

/// "422 from before start, more than the range has now": the range was narrowed while they were there.
std::string older_ports_words(const Trouble& trouble) {
  const std::string count = base::grouped(trouble.older->buckets) + " from before start";
  return trouble.use && trouble.older->buckets > trouble.use->of ? count + ", more than the range has now" : count;
}

Remark unconnected_now(const Trouble& trouble) {
  const std::string who = trouble.unconnected ? party_words(*trouble.unconnected) + " " : "";
  const double per_s = trouble.unconnected ? trouble.unconnected->per_s : trouble.no_port_per_s;
  const char* const call = trouble.destination ? "connect" : "bind";
  return {fmt::format("cannot {}: {}{}/s", call, who, base::rate(per_s)), Tone::kAlarm};
}

Remark unconnected_before(const Trouble& trouble) {
  const Party& party = *trouble.unconnected;
  return {fmt::format("could not {}: {} {} times, {}%", trouble.destination ? "connect" : "bind", party_words(party),
                      fmt::group_digits(party.buckets), percent(party.share)),
          Tone::kAlarm};
}

Remark dropped(const Trouble& trouble, Tense tense) {
  const model::ListenQueue& queue = *trouble.queue;
  const std::string what = tense == Tense::kPast   ? "dropped " + base::grouped(queue.drops)
                           : queue.drops_per_s > 0 ? fmt::format("drops {}/s", base::rate(queue.drops_per_s))
                                                   : "is full";
  const std::string who = trouble.holder ? party_words(*trouble.holder) + " " : "";
  return {fmt::format("{}{}{} {}, {}", begin("QUEUE", trouble), who, queue_port_words(queue), what, queue_words(queue)),
          Tone::kAlarm};
}

Remark refused_now(const Trouble& trouble) {
  if (!trouble.refused) return {fmt::format("refused now: {}/s", base::rate(trouble.refused_per_s)), Tone::kAlarm};
  const Party& refused = *trouble.refused;
  return {
      fmt::format("refused now: {} {}/s, {}%", party_words(refused), base::rate(refused.per_s), percent(refused.share)),
      Tone::kAlarm};
}

/// `where` is empty or " in netns web".
Remark refused_before(const std::optional<Party>& refused, const std::string& where, Tense tense) {
  const std::string words = (tense == Tense::kNow ? "refused before" : "refused") + where;
  if (!refused) return {words, Tone::kWarning};
  return {fmt::format("{}: {} {}, {}%", words, party_words(*refused), fmt::group_digits(refused->buckets),
                      percent(refused->share)),
          Tone::kWarning};
}

/// With names that are safe on a terminal, of at most `columns`.
Trouble with_names_of(Trouble trouble, std::size_t columns) {
  const auto shorten = [columns](std::string& name) { name = base::fit(base::sanitize_terminal(name), columns); };
  shorten(trouble.netns_name);
  if (trouble.older) shorten(trouble.older->service);
  for (std::optional<Party>* party : {&trouble.holder, &trouble.refused, &trouble.unconnected}) {
    if (!*party || (*party)->name.empty()) continue;
    (*party)->name = party_words(**party);
    (*party)->comm.clear();
    shorten((*party)->name);
  }
  return trouble;
}

}  // namespace

std::string queue_port_words(const model::ListenQueue& queue) {
  return queue.port == 0 ? "several ports" : fmt::format(":{}", queue.port);
}

std::string queue_owner_words(const model::ListenQueue& queue) {
  const bool named = !queue.service->name.empty() && queue.service->name != "/";
  const std::string& name = named ? queue.service->name : queue.comm;
  return (name.empty() ? "an unknown process" : name) + ' ' + queue_port_words(queue);
}

std::string queue_words(const model::ListenQueue& queue) {
  return fmt::format("queue {}/{}", fmt::group_digits(queue.queue.taken), fmt::group_digits(queue.queue.of));
}

std::string queue_limit_words(const model::ListenQueue& queue) {
  std::string words;
  if (queue.somaxconn) words = "somaxconn " + base::grouped(*queue.somaxconn);
  if (!queue.syn_backlog) return words;
  return words + (words.empty() ? "" : ", ") + "tcp_max_syn_backlog " + base::grouped(*queue.syn_backlog);
}

std::vector<Remark> trouble_remarks(const Trouble& trouble, Tense tense) {
  switch (trouble.kind) {
    case Trouble::Kind::kFull: {
      std::vector<Remark> remarks{{begin("FULL", trouble) + held_words(trouble, tense), Tone::kAlarm}};
      if (trouble.older && trouble.holder) {
        remarks.push_back({older_words(*trouble.older, trouble.holder->buckets, tense), Tone::kAlarm});
      }
      if (trouble.refused_per_s > 0) {
        remarks.push_back(refused_now(trouble));
      } else if (trouble.refused) {
        remarks.push_back(refused_before(trouble.refused, "", tense));
      }
      return remarks;
    }
    case Trouble::Kind::kQueue: {
      std::vector<Remark> remarks{dropped(trouble, tense)};
      if (auto limits = queue_limit_words(*trouble.queue); !limits.empty()) {
        remarks.push_back({std::move(limits), Tone::kPlain});
      }
      return remarks;
    }
    case Trouble::Kind::kPorts: {
      const bool fails = trouble.no_port_per_s > 0;
      const bool none_left = fails || trouble.unconnected || (trouble.use && trouble.use->taken >= trouble.use->of);
      std::vector<Remark> remarks{
          {begin("PORTS", trouble) + ports_words(trouble, tense), none_left ? Tone::kAlarm : Tone::kWarning}};
      if (trouble.older) {
        remarks.push_back({older_ports_words(trouble), remarks.front().tone});
      }
      if (fails) {
        remarks.push_back(unconnected_now(trouble));
      } else if (trouble.unconnected) {
        remarks.push_back(unconnected_before(trouble));
      }
      return remarks;
    }
    case Trouble::Kind::kRefused:
      return {refused_before(trouble.refused, is_host(trouble) ? "" : " in netns " + netns_of(trouble), tense)};
  }
  return {};
}

std::vector<Remark> trouble_remarks_within(std::size_t columns, const Trouble& trouble) {
  constexpr std::size_t kLongestName = 24;
  constexpr std::size_t kShortestName = 6;
  if (columns == 0) return trouble_remarks(with_names_of(trouble, SIZE_MAX));
  const auto fits = [columns](const Remark& remark) { return base::display_width(remark.text) <= columns; };
  std::vector<Remark> remarks = trouble_remarks(with_names_of(trouble, kLongestName));
  for (std::size_t name = kLongestName - 1; name >= kShortestName; --name) {
    if (std::all_of(remarks.begin(), remarks.end(), fits)) break;
    std::vector<Remark> shorter = trouble_remarks(with_names_of(trouble, name));
    for (std::size_t i = 0; i < remarks.size(); ++i) {
      if (!fits(remarks[i]) && fits(shorter[i])) remarks[i] = std::move(shorter[i]);
    }
  }
  return remarks;
}

std::string more_troubles_words(std::size_t count) {
  return fmt::format("+{} more trouble{}", count, count == 1 ? "" : "s");
}

Remark calm_remark(const model::Snapshot& snapshot) {
  const auto any = [&](auto holds) {
    return std::any_of(snapshot.namespaces.begin(), snapshot.namespaces.end(), holds);
  };
  if (any([](const model::NetnsRow& netns) { return netns.counts.no_memory != 0; })) {
    return {kNoMemory, Tone::kAlarm};
  }
  if (any([](const model::NetnsRow& netns) { return netns.missed.overflow.value_or(0) != 0; })) {
    return {"the kernel refused buckets that no BPF program saw", Tone::kWarning};
  }
  // Troubles are of the namespaces that were asked for; the lines below show the others, too.
  if (any([](const model::NetnsRow& netns) {
        return netns.counts.overflow() != 0 || (!netns.gone && model::is_full(netns.in_use, netns.limit));
      })) {
    return {"no trouble in the namespaces that were asked for", Tone::kGood};
  }
  if (!any([](const model::NetnsRow& netns) { return netns.in_use && netns.limit; })) {
    return {"no bucket was refused", Tone::kGood};
  }
  return {"no table is full, no bucket was refused", Tone::kGood};
}

}  // namespace twtrace::phrases
