// SPDX-License-Identifier: Apache-2.0
// The user's filters, applied to events.
#pragma once

#include "model/snapshot.hpp"
#include "trace/session.hpp"
#include "view/filter.hpp"

namespace twtrace::app {

/// Whether the event passes every filter of the command line. Ports are compared with the event's own.
bool event_matches(const model::Event& event, const view::Filter& filter, const trace::SessionOptions& ports);

}  // namespace twtrace::app
