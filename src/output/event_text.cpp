// SPDX-License-Identifier: Apache-2.0
#include "output/event_text.hpp"

#include <fmt/format.h>

#include "base/escape.hpp"
#include "base/format.hpp"

namespace twtrace::output {
namespace {

using model::Event;

constexpr std::size_t kWordColumns = 10;

// In floating point from the start: times from a capture file may be anything, and their difference may not fit.
double relative_s(const Event& event, const EventTextOptions& options) {
  return (static_cast<double>(event.time_unix_ms) - static_cast<double>(options.start_unix_ms)) / 1000;
}

std::string time_text(const Event& event, const EventTextOptions& options) {
  switch (options.time) {
    case TimeStamp::kNone:
      return {};
    case TimeStamp::kWallClock:
      return base::iso8601_ms(event.time_unix_ms).substr(11, 12) + ' ';
    case TimeStamp::kRelative:
      return fmt::format("{:>12.3f} ", relative_s(event, options));
  }
  return {};
}

std::string owner_text(const Event& event) {
  std::string text = event.attribution == model::Attribution::kCgroup ? "~" : "";
  text += event.service.name.empty() ? "-" : base::sanitize_terminal(event.service.name);
  if (!event.process) return text;
  text += '/' + base::sanitize_terminal(event.process->comm);
  if (event.process->pid) text += fmt::format("[{}]", *event.process->pid);
  return text;
}

std::string role_text(const Event& event) {
  return fmt::format("{}:{}", event.role ? model::to_string(*event.role) : "-",
                     event.port ? fmt::format("{}", *event.port) : "-");
}

std::string endpoint_text(const std::string& address, std::uint16_t port) {
  const std::string safe = base::sanitize_terminal(address);
  const std::string host = safe.empty() ? "-" : safe.find(':') != std::string::npos ? '[' + safe + ']' : safe;
  return host + ':' + (port == 0 ? "-" : fmt::format("{}", port));
}

std::string netns_text(const Event& event) {
  if (!event.netns_name.empty()) return base::sanitize_terminal(event.netns_name);
  return event.netns ? fmt::format("{}", *event.netns) : "-";
}

std::string removal_text(const Event& event) {
  if (event.kind != Event::Kind::kRemoved) return {};
  const bool known = event.reason != Event::Reason::kUnknown;
  const std::string age = event.age_s ? fmt::format("{:.1f}s", *event.age_s) : "-";
  return fmt::format(" {} {}", known ? model::to_string(event.reason) : "-", age);
}

bool is_refusal(const Event& event) {
  return event.kind == Event::Kind::kOverflow || event.kind == Event::Kind::kNoMemory;
}

}  // namespace

std::string event_text(const Event& event, const EventTextOptions& options) {
  const std::string line =
      fmt::format("{}{:<{}} {:<{}} {} {} {} -> {} {}{}", time_text(event, options), model::to_string(event.kind),
                  kWordColumns, model::to_string(event.substate), kWordColumns, owner_text(event), role_text(event),
                  endpoint_text(event.local_address, event.local_port),
                  endpoint_text(event.remote_address, event.remote_port), netns_text(event), removal_text(event));
  return is_refusal(event) ? alarm(line, options.color) : line;
}

std::string event_text_header(const EventTextOptions& options) {
  const char* time = options.time == TimeStamp::kNone        ? ""
                     : options.time == TimeStamp::kWallClock ? "TIME         "
                                                             : "     SECONDS ";
  return fmt::format("{}{:<{}} {:<{}} OWNER ROLE:PORT LOCAL -> REMOTE NETNS", time, "EVENT", kWordColumns, "STAGE",
                     kWordColumns);
}

}  // namespace twtrace::output
