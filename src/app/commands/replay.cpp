// SPDX-License-Identifier: Apache-2.0
// `twtrace replay`: shows a capture file in the live view, or prints its samples one after another.
#include <fmt/format.h>

#include <cstddef>
#include <limits>
#include <utility>

#include "app/after_start.hpp"
#include "app/batch_output.hpp"
#include "app/command.hpp"
#include "app/live.hpp"
#include "app/netns_option.hpp"
#include "app/open_capture.hpp"
#include "app/option_groups.hpp"
#include "app/screen.hpp"
#include "app/signals.hpp"
#include "app/streams.hpp"
#include "capture/reader.hpp"
#include "kernel/memory_room.hpp"

namespace twtrace::app {
namespace {

struct Replay {
  std::string file = "twtrace.db";
  TableOptions table;

  void declare(OptionList& list);
  base::Result<int> run() const;
  base::Result<int> run_screen(capture::Reader& recording, const view::View& shown) const;
  base::Result<int> run_batch(model::Recording& recording, const view::View& shown) const;
};

/// Of output that is written at once. Most samples are small, and a write costs as much as printing one.
constexpr std::size_t kPieceBytes = std::size_t{1} << 16U;
/// Enough for a day of a busy host. Older samples that do not fit are left out, and the user is told.
constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

model::HistoryLimits whole_file() {
  const auto bytes = kernel::share_of(kernel::memory_room(kernel::Procfs()), kMostBytes, 2);
  return {std::numeric_limits<double>::infinity(), std::numeric_limits<std::size_t>::max(), bytes};
}

/// Advances by one sample per interval while the replay plays.
base::Result<void> play(Screen& screen) {
  if (auto begun = screen.begin(); !begun) return begun;
  while (!screen.ended()) {
    const auto wake = screen.wait(-1);
    if (!wake) return tl::unexpected(wake.error());
    if (*wake != EventLoop::Wake::kTimer || !screen.state().playing) continue;
    const tui::Context context = screen.context();  // taken before the next line moves from the state
    screen.state() = tui::play_on(std::move(screen.state()), context);
    screen.draw();
  }
  return {};
}

base::Error no_sample(const std::string& file) {
  return {base::ErrorCode::kFailure, 0, file + ": the capture holds no sample", "record for at least one second"};
}

/// Shows what can be read, and says what is wrong with the rest.
base::Result<int> Replay::run_screen(capture::Reader& recording, const view::View& shown) const {
  auto loop = EventLoop::create();
  if (!loop) return tl::unexpected(loop.error());
  std::uint64_t samples = 0;
  auto screen = Screen::open(*loop, table, shown, whole_file());
  if (!screen) return tl::unexpected(screen.error());
  model::History& history = (*screen)->history();
  (*screen)->set_events([&recording](std::int64_t until_unix_ms) {
    return recording.events_until(until_unix_ms, tui::EventLog::kEvents);
  });
  (*screen)->set_marks(recording.info().marks);
  const auto read =
      recording.for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        history.append(head, source);
        ++samples;
        return !end_is_asked();
      });
  if (samples == 0) return tl::unexpected(read ? no_sample(file) : read.error());
  tui::ViewState& state = (*screen)->state();
  state.replay = true;
  state.paused_at = history.oldest();
  if (!read) {
    state.notice = read.error().what;
  } else if (history.oldest() != 1) {
    state.notice = fmt::format("the first {} samples did not fit into memory", fmt::group_digits(history.oldest() - 1));
  } else if (!recording.info().ended_unix_ms) {
    state.notice = "this capture was cut short or is still running; this is all up to its last sample";
  }
  if (auto done = play(**screen); !done) return tl::unexpected(done.error());
  return kExitOk;
}

base::Result<int> Replay::run_batch(model::Recording& recording, const view::View& shown) const {
  BatchOutput output(table, shown);
  std::string text = output.header();
  base::Result<void> written;
  std::uint64_t samples = 0;
  const auto read =
      recording.for_each(model::Wanted::kAll, [&](const model::SnapshotPtr& head, const model::Source& source) {
        text += output.text(*head, source);
        if (text.size() >= kPieceBytes) {
          written = write_stdout(text);
          text.clear();
        }
        ++samples;
        return written && (table.pace.iterations == 0 || samples < table.pace.iterations);
      });
  if (written && !text.empty()) written = write_stdout(text);
  if (!written) return tl::unexpected(written.error());
  if (!read) return tl::unexpected(read.error());
  if (samples == 0) return tl::unexpected(no_sample(file));
  return kExitOk;
}

void Replay::declare(OptionList& list) {
  list.word("FILE", "the capture (default twtrace.db)", app::file(file));
  table.filter.of_capture = true;
  table.declare(list);
}

base::Result<int> Replay::run() const {
  auto reader = open_capture(file);
  if (!reader) return tl::unexpected(reader.error());
  if (auto dropped = keep_only({}); !dropped) return tl::unexpected(dropped.error());  // it may run for hours
  const auto netns = netns_of_capture(table.filter.netns, (*reader)->info());
  if (!netns) return tl::unexpected(netns.error());
  view::Selector selector = table.filter.selector();
  selector.add(*netns);
  const view::View shown = table.view_with(std::move(selector));
  return can_show_live(table) ? run_screen(**reader, shown) : run_batch(**reader, shown);
}

}  // namespace

extern const Command kReplay = {"replay", "show a capture in the live view, sample by sample", prepare<Replay>};

}  // namespace twtrace::app
