// SPDX-License-Identifier: Apache-2.0
#include "app/watch.hpp"

#include <utility>

#include "app/netns_option.hpp"
#include "trace/resources.hpp"

namespace twtrace::app {

base::Result<Watch> begin_watch(const trace::SessionOptions& options) {
  if (auto raised = trace::raise_open_files(); !raised) return tl::unexpected(raised.error());
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  auto session = trace::Session::start(options);
  if (!session) return tl::unexpected(session.error());
  return Watch{std::move(*loop), std::move(*session)};
}

base::Result<view::Selector> resolve_filter(const trace::Session& session, const FilterOptions& options,
                                            const TracingOptions& ports) {
  view::Selector selector = options.selector();
  selector.add(ports.ports());
  auto netns = netns_on_host(options.netns, session);
  if (!netns) return netns;
  selector.add(*netns);
  return selector;
}

}  // namespace twtrace::app
