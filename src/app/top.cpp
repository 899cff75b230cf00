// SPDX-License-Identifier: Apache-2.0
// `twtrace [top]`: the live view, or the table once per interval.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "app/command.hpp"
#include "app/event_filter.hpp"
#include "app/event_loop.hpp"
#include "app/live.hpp"
#include "app/stdout_writer.hpp"
#include "output/csv.hpp"
#include "output/json.hpp"
#include "output/table.hpp"

namespace twtrace::app {
namespace {

constexpr std::size_t kDefaultWidth = 79;

std::chrono::nanoseconds nanoseconds(double seconds) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

std::size_t table_width(const Options& options) {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) {
    return size.ws_col - 1U;
  }
  return options.format == Format::kWide ? 0 : kDefaultWidth;
}

std::string render(const model::Snapshot& snapshot, const Options& options) {
  switch (options.format) {
    case Format::kJson:
      return output::snapshot_json(snapshot) + "\n";
    case Format::kCsv:
      return output::snapshot_csv(snapshot);
    case Format::kTable:
    case Format::kWide:
      break;
  }
  output::TableOptions table;
  table.wide = options.format == Format::kWide;
  table.width = table_width(options);
  table.color = options.color;
  return output::snapshot_table(snapshot, table) + "\n";
}

base::Result<void> emit(Session& session, const Options& options, bool last) {
  if (auto sampled = session.sample(last); !sampled) return sampled;
  return write_stdout(render(*session.snapshot(options.view), options));
}

}  // namespace

base::Result<int> run_top(const Options& asked, const std::function<void()>& when_counting) {
  const bool live = can_show_live(asked);
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  auto session = Session::start(asked.session);
  if (!session) return tl::unexpected(session.error());
  const auto options = resolve_netns_filter(*session, asked);
  if (!options) return tl::unexpected(options.error());
  session->record_peers(options->view.group == model::Group::kPeer);
  if (when_counting) when_counting();
  if (live) return run_live(*loop, *session, *options);
  std::fputs("ready\n", stderr);
  if (options->format == Format::kCsv) {
    if (auto written = write_stdout(output::csv_header(options->view.group)); !written) {
      return tl::unexpected(written.error());
    }
  }
  if (auto set = loop->set_interval(nanoseconds(options->delay_s)); !set) return tl::unexpected(set.error());
  for (std::uint64_t done = 0; options->iterations == 0 || done < options->iterations;) {
    const auto wake = loop->wait(session->ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    if (*wake == EventLoop::Wake::kRing) {
      if (auto drained = session->drain(); !drained) return tl::unexpected(drained.error());
      continue;
    }
    const bool stop = *wake == EventLoop::Wake::kStop;
    ++done;
    if (auto emitted = emit(*session, *options, stop || done == options->iterations); !emitted) {
      return tl::unexpected(emitted.error());
    }
    if (stop) break;
  }
  return kExitOk;
}

}  // namespace twtrace::app
