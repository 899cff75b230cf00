// SPDX-License-Identifier: Apache-2.0
#include "capture/names.hpp"

#include <initializer_list>

namespace twtrace::capture {
namespace {

template <class Enum>
std::optional<Enum> find(std::string_view word, std::initializer_list<Enum> all) {
  for (const Enum value : all) {
    if (word == model::to_string(value)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<model::Role> role_named(std::string_view word) {
  return find(word, {model::Role::kServer, model::Role::kClient});
}

std::optional<model::Attribution> attribution_named(std::string_view word) {
  return find(word, {model::Attribution::kCloser, model::Attribution::kCgroup, model::Attribution::kNone});
}

std::optional<model::Event::Kind> kind_named(std::string_view word) {
  using Kind = model::Event::Kind;
  return find(word, {Kind::kCreated, Kind::kOverflow, Kind::kNoMemory, Kind::kRemoved, Kind::kNoPort, Kind::kResetSent,
                     Kind::kResetReceived, Kind::kResetFelt, Kind::kQueueDrop});
}

std::optional<model::Event::Substate> substate_named(std::string_view word) {
  return find(word, {model::Event::Substate::kFinWait2, model::Event::Substate::kTimeWait});
}

std::optional<model::Event::Reason> reason_named(std::string_view word) {
  using Reason = model::Event::Reason;
  return find(word, {Reason::kUnknown, Reason::kExpired, Reason::kReused, Reason::kRecycled, Reason::kPurged,
                     Reason::kAvoidable, Reason::kRefused, Reason::kLate, Reason::kAborted, Reason::kClosedPort,
                     Reason::kOther});
}

std::optional<model::Log::Kind> log_kind_named(std::string_view word) {
  return find(word, {model::Log::Kind::kFile, model::Log::Kind::kJournal});
}

}  // namespace twtrace::capture
