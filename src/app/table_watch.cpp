// SPDX-License-Identifier: Apache-2.0
#include "app/table_watch.hpp"

#include <chrono>
#include <utility>

#include "app/after_start.hpp"
#include "app/batch_output.hpp"
#include "app/history_file.hpp"
#include "app/live.hpp"
#include "app/streams.hpp"
#include "app/watch.hpp"

namespace twtrace::app {
namespace {

base::Result<void> emit(trace::Session& session, BatchOutput& output, bool last) {
  if (auto sampled = session.sample(last); !sampled) return sampled;
  base::Result<void> written;
  session.with_source(
      [&](const model::Source& source) { written = write_stdout(output.text(session.head(), source)); });
  return written;
}

}  // namespace

void TableWatch::declare(OptionList& list) {
  table.pace.declare_words(list);
  table.declare(list);
  tracing.declare_ports(list);
  tracing.declare(list);
}

base::Result<int> TableWatch::run(const std::function<void()>& when_counting) const {
  const bool live = can_show_live(table);
  auto watch = begin_watch(tracing.session);
  if (!watch) return tl::unexpected(watch.error());
  EventLoop& loop = watch->loop;
  trace::Session& session = watch->session;
  auto selector = resolve_filter(session, table.filter, tracing);
  if (!selector) return tl::unexpected(selector.error());
  const view::View shown = table.view_with(std::move(*selector));
  session.record_peers(shown.group == model::Group::kPeer);
  when_counting();
  auto dropped = drop_privileges(tracing, live ? writing_to(kHistoryFile) : reading_only());
  if (!dropped) return tl::unexpected(dropped.error());
  if (live) return run_live(loop, session, table, shown);
  write_stderr("ready\n");
  BatchOutput output(table, shown);
  if (const std::string header = output.header(); !header.empty()) {
    if (auto written = write_stdout(header); !written) return tl::unexpected(written.error());
  }
  if (auto set = loop.set_interval(std::chrono::duration<double>(table.pace.delay_s)); !set)
    return tl::unexpected(set.error());
  const std::uint64_t wanted = table.pace.iterations;
  for (std::uint64_t done = 0; wanted == 0 || done < wanted;) {
    const auto wake = loop.wait(session.ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == EventLoop::Wake::kRing) {
      if (auto drained = session.drain(); !drained) return tl::unexpected(drained.error());
      continue;
    }
    const bool stop = *wake == EventLoop::Wake::kStop;
    ++done;
    if (auto emitted = emit(session, output, stop || done == wanted); !emitted) {
      return tl::unexpected(emitted.error());
    }
    if (stop) break;
  }
  return kExitOk;
}

}  // namespace twtrace::app
