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

base::Result<view::Selector> resolve_filter(trace::Session& session, const FilterOptions& options,
                                            const TracingOptions& ports) {
  view::Selector selector = options.selector();
  selector.add(ports.ports());
  if (options.netns.empty() || options.netns == "all") return selector;
  if (options.netns.find_first_of("*?[") != std::string::npos) {
    auto term = view::make_term("netns", view::Op::kMatch, options.netns, view::Grammar::kFilter);
    if (!term) return tl::unexpected(term.error());
    selector.add(std::move(*term));
    return selector;
  }
  const auto inum = session.resolve_netns(options.netns);
  if (!inum) return base::prepend(inum.error(), "--netns");
  selector.add(view::netns_term(*inum));
  return selector;
}

}  // namespace twtrace::app
