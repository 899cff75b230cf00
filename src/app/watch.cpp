// SPDX-License-Identifier: Apache-2.0
#include "app/watch.hpp"

#include <utility>

namespace twtrace::app {
namespace {

base::Result<Options> resolve_netns_filter(trace::Session& session, Options options) {
  if (options.netns.empty() || options.netns == "all") return options;
  const auto inum = session.resolve_netns(options.netns);
  if (!inum) return base::prepend(inum.error(), "--netns");
  options.view.filter.netns = *inum;
  return options;
}

}  // namespace

base::Result<Watch> begin_watch(const Options& asked) {
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  auto session = trace::Session::start(asked.session);
  if (!session) return tl::unexpected(session.error());
  auto options = resolve_netns_filter(*session, asked);
  if (!options) return tl::unexpected(options.error());
  return Watch{std::move(*loop), std::move(*session), std::move(*options)};
}

}  // namespace twtrace::app
