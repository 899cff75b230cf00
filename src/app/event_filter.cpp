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

bool event_matches(const model::Event& event, const Options& options) {
  const trace::SessionOptions& session = options.session;
  if (session.local_port != 0 && event.local_port != session.local_port) return false;
  if (session.remote_port != 0 && event.remote_port != session.remote_port) return false;
  view::Filter filter = options.view.filter;
  filter.only_matched = false;  // the ports have just been compared
  return filter.accepts(identity_of(event), event.netns.value_or(0));
}

}  // namespace twtrace::app
