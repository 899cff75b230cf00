// SPDX-License-Identifier: Apache-2.0
// `twtrace events`: one line per bucket created, refused or removed.
#include <chrono>
#include <cstdio>

#include "app/command.hpp"
#include "app/event_filter.hpp"
#include "app/stdout_writer.hpp"
#include "app/watch.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "output/event_text.hpp"
#include "output/json.hpp"

namespace twtrace::app {
namespace {

/// How long an event may wait in the ring before it is printed.
constexpr std::chrono::milliseconds kDrainInterval{50};
/// How often the table is read for buckets that went away, where the backend does not see it.
constexpr std::chrono::seconds kSampleInterval{1};

}  // namespace

base::Result<int> run_events(const Options& asked) {
  auto watch = begin_watch(asked);
  if (!watch) return tl::unexpected(watch.error());
  trace::Session& session = watch->session;
  const Options& options = watch->options;

  const bool json = options.format == Format::kJson;
  output::EventTextOptions text;
  text.time = options.time_stamp;
  text.start_unix_ms = base::SystemClock().unix_ms();
  text.color = options.color;
  std::string pending;
  session.on_event([&](const model::Event& event) {
    if (!event_matches(event, options)) return;
    if (json) {
      output::append_event_json(pending, event);
    } else {
      pending += output::event_text(event, text);
    }
    pending += '\n';
  });
  std::fputs("ready\n", stderr);
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
    if (const std::uint64_t lost = session.tracer().stats().events_lost; sample && lost > reported_loss) {
      spdlog::warn("{} events were lost because the ring was full; a larger --ring-size holds more",
                   lost - reported_loss);
      reported_loss = lost;
    }
    if (stop) return kExitOk;
  }
}

}  // namespace twtrace::app
