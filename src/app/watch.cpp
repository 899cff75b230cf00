// SPDX-License-Identifier: Apache-2.0
#include "app/watch.hpp"

#include <utility>

namespace twtrace::app {

base::Result<Watch> begin_watch(const trace::SessionOptions& options) {
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  auto session = trace::Session::start(options);
  if (!session) return tl::unexpected(session.error());
  return Watch{std::move(*loop), std::move(*session)};
}

base::Result<view::Filter> resolve_filter(trace::Session& session, const FilterOptions& options) {
  view::Filter filter = options.filter;
  if (options.netns.empty() || options.netns == "all") return filter;
  const auto inum = session.resolve_netns(options.netns);
  if (!inum) return base::prepend(inum.error(), "--netns");
  filter.netns = *inum;
  return filter;
}

}  // namespace twtrace::app
