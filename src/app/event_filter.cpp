// SPDX-License-Identifier: Apache-2.0
#include "app/event_filter.hpp"

namespace twtrace::app {
namespace {

model::Identity identity_of(const model::Event& event) {
  model::Identity identity;
  if (event.process) {
    identity.pid = event.process->pid;
    identity.comm = event.process->comm;
  }
  identity.service = event.service;
  identity.ipv6 = event.ipv6;
  return identity;
}

}  // namespace

bool event_matches(const model::Event& event, const view::Filter& filter, const trace::SessionOptions& ports) {
  if (ports.local_port != 0 && event.local_port != ports.local_port) return false;
  if (ports.remote_port != 0 && event.remote_port != ports.remote_port) return false;
  return filter.accepts(identity_of(event), event.netns.value_or(0));
}

}  // namespace twtrace::app
