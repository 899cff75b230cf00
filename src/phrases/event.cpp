// SPDX-License-Identifier: Apache-2.0
#include "phrases/event.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"
#include "phrases/endpoint.hpp"

namespace twtrace::phrases {

std::string owner_words(const model::Event& event) {
  std::string text = event.attribution == model::Attribution::kCgroup ? "~" : "";
  text += event.service.name.empty() ? "-" : base::sanitize_terminal(event.service.name);
  if (!event.process) return text;
  text += '/' + base::sanitize_terminal(event.process->comm);
  if (event.process->pid) text += fmt::format("[{}]", *event.process->pid);
  return text;
}

std::string role_words(const model::Event& event) {
  return fmt::format("{}:{}", event.role ? to_string(*event.role) : "-",
                     event.port ? fmt::format("{}", *event.port) : "-");
}

std::string connection_words(const model::Event& event) {
  return endpoint_words(event.local_address, event.local_port) + " -> " +
         endpoint_words(event.remote_address, event.remote_port);
}

std::string netns_words(const model::Event& event) {
  if (!event.netns_name.empty()) return base::sanitize_terminal(event.netns_name);
  return event.netns ? fmt::format("{}", *event.netns) : "-";
}

std::string stage_words(const model::Event& event) { return event.has_substate() ? to_string(event.substate) : "-"; }

std::string detail_words(const model::Event& event) {
  std::string reason = event.has_reason() ? to_string(event.reason) : "-";
  switch (event.kind) {
    case model::Event::Kind::kRemoved:
      return reason + ' ' + (event.age_s ? fmt::format("{:.1f}s", *event.age_s) : "-");
    case model::Event::Kind::kResetSent:
      return reason;
    case model::Event::Kind::kQueueDrop:
      return fmt::format("{} dropped", event.count);
    default:
      return {};
  }
}

}  // namespace twtrace::phrases
