// SPDX-License-Identifier: Apache-2.0
// What the tracing process and its name helper say to each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/fields.hpp"
#include "kernel/container.hpp"
#include "kernel/netns.hpp"

namespace twtrace::trace {

using base::Fields;

/// Each of these is the inverse of the one beside it; empty if the fields are not what the other one makes. Pure.
Fields fields_of(const kernel::ContainerQuery& query);
std::optional<kernel::ContainerQuery> container_query(const Fields& fields);
Fields fields_of(const std::optional<kernel::ContainerFacts>& facts);
std::optional<std::optional<kernel::ContainerFacts>> container_facts(const Fields& fields);
Fields fields_of(const std::map<std::uint32_t, kernel::NetnsRef>& namespaces);
std::optional<std::map<std::uint32_t, kernel::NetnsRef>> namespaces(const Fields& fields);

}  // namespace twtrace::trace
