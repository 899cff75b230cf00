// SPDX-License-Identifier: Apache-2.0
// `twtrace events`: prints one line per bucket created, refused or removed, and for whatever hurts somebody.
#include <chrono>

#include "app/after_start.hpp"
#include "app/command.hpp"
#include "app/option_groups.hpp"
#include "app/streams.hpp"
#include "app/watch.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "output/event_text.hpp"
#include "output/json.hpp"

namespace twtrace::app {
namespace {

/// How long an event may wait in the ring before it is printed.
constexpr std::chrono::milliseconds kDrainInterval{50};
/// How often to read the table for removed buckets if the backend does not see removals.
constexpr std::chrono::seconds kSampleInterval{1};

struct Events {
  FilterOptions filter;
  TracingOptions tracing;
  OutputOptions<LineFormat> output;
  output::TimeStamp time_stamp = output::TimeStamp::kWallClock;

  void declare(OptionList& list);
  base::Result<int> run() const;
};

void Events::declare(OptionList& list) {
  declare_line_output(list, output);
  list.flag("-t", "print times in seconds since the start", [this] { time_stamp = output::TimeStamp::kRelative; });
  list.flag("-T", "print the time of day in UTC (default)", [this] { time_stamp = output::TimeStamp::kWallClock; });
  filter.declare(list);
  tracing.declare_ports(list);
  tracing.declare_loading(list);
}

base::Result<int> Events::run() const {
  auto watch = begin_watch(tracing.session);
  if (!watch) return tl::unexpected(watch.error());
  trace::Session& session = watch->session;
  const auto wanted = resolve_filter(session, filter, tracing);
  if (!wanted) return tl::unexpected(wanted.error());

  const bool json = output.format == LineFormat::kJson;
  output::EventTextOptions text;
  text.time = time_stamp;
  text.start_unix_ms = base::SystemClock().unix_ms();
  text.color = output.color();
  std::string pending;
  session.on_event([&](const model::Event& event) {
    if (!wanted->accepts(view::subject_of(event))) return;
    if (json) {
      output::append_event_json(pending, event);
    } else {
      pending += output::event_text(event, text);
    }
    pending += '\n';
  });
  if (auto dropped = drop_privileges(tracing, reading_only()); !dropped) return tl::unexpected(dropped.error());
  write_stderr("ready\n");
  if (!json) pending = output::event_text_header(text) + "\n";
  if (auto set = watch->loop.set_interval(kDrainInterval); !set) return tl::unexpected(set.error());

  const std::uint64_t drains_per_sample = kSampleInterval / kDrainInterval;
  std::uint64_t reported_loss = 0;
  for (std::uint64_t tick = 1;; ++tick) {
    const auto wake = watch->loop.wait(session.ring_fd());
    if (!wake) return tl::unexpected(wake.error());
    const bool stop = *wake == EventLoop::Wake::kStop;
    const bool sample = stop || tick % drains_per_sample == 0;
    if (auto done = sample ? session.sample(false) : session.drain(); !done) return tl::unexpected(done.error());
    if (auto written = write_stdout(pending); !written) return tl::unexpected(written.error());
    pending.clear();
    if (const std::uint64_t lost = session.events_lost(); sample && lost > reported_loss) {
      spdlog::warn("{} events were lost because the ring was full; use a larger --ring-size", lost - reported_loss);
      reported_loss = lost;
    }
    if (stop) return kExitOk;
  }
}

}  // namespace

extern const Command kEvents = {"events", "print one line per bucket, reset or queue drop", prepare<Events>};

}  // namespace twtrace::app
