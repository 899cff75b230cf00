// SPDX-License-Identifier: Apache-2.0
// `twtrace [top]`: the live view, or the table once per interval.
#include <chrono>
#include <cstdio>

#include "app/batch_output.hpp"
#include "app/command.hpp"
#include "app/live.hpp"
#include "app/watch.hpp"

namespace twtrace::app {
namespace {

base::Result<void> emit(trace::Session& session, const Options& options, bool last) {
  if (auto sampled = session.sample(last); !sampled) return sampled;
  base::Result<void> written;
  session.with_source([&](const model::Source& source) {
    written = write_batch(view::with_rows(session.head(), source, options.view), options);
  });
  return written;
}

}  // namespace

base::Result<int> run_top(const Options& asked, const std::function<void()>& when_counting) {
  const bool live = can_show_live(asked);
  auto watch = begin_watch(asked);
  if (!watch) return tl::unexpected(watch.error());
  EventLoop& loop = watch->loop;
  trace::Session& session = watch->session;
  const Options& options = watch->options;
  session.record_peers(options.view.group == model::Group::kPeer);
  if (when_counting) when_counting();
  if (live) return run_live(loop, session, options);
  std::fputs("ready\n", stderr);
  if (auto begun = begin_batch(options); !begun) return tl::unexpected(begun.error());
  if (auto set = loop.set_interval(std::chrono::duration<double>(options.delay_s)); !set)
    return tl::unexpected(set.error());
  for (std::uint64_t done = 0; options.iterations == 0 || done < options.iterations;) {
    const auto wake = loop.wait(session.ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == EventLoop::Wake::kRing) {
      if (auto drained = session.drain(); !drained) return tl::unexpected(drained.error());
      continue;
    }
    const bool stop = *wake == EventLoop::Wake::kStop;
    ++done;
    if (auto emitted = emit(session, options, stop || done == options.iterations); !emitted) {
      return tl::unexpected(emitted.error());
    }
    if (stop) break;
  }
  return kExitOk;
}

}  // namespace twtrace::app
