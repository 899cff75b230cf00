// SPDX-License-Identifier: Apache-2.0
#include "app/live.hpp"

#include <unistd.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "app/command.hpp"
#include "app/history_file.hpp"
#include "app/screen.hpp"
#include "kernel/memory_room.hpp"
#include "kernel/procfs.hpp"

namespace twtrace::app {
namespace {

/// Caches the command lines of processes by pid and name, because a pid may belong to another process by now, or run
/// another program. Keeps those of ended processes. Forgets everything when it grows too large.
class CommandLines {
 public:
  std::optional<std::string> find(std::uint32_t pid, const std::string& comm) {
    if (known_.size() > kMost) known_.clear();
    const auto found = known_.find({pid, comm});
    if (found != known_.end()) return found->second;
    const auto now = procfs_.stat(pid);
    auto line = now && now->comm == comm ? procfs_.cmdline(pid) : std::nullopt;
    if (line) known_.emplace(std::pair(pid, comm), *line);
    return line;
  }

 private:
  static constexpr std::size_t kMost = 10'000;
  kernel::Procfs procfs_;
  std::map<std::pair<std::uint32_t, std::string>, std::string> known_;
};

/// Connects the session's samples with the screen.
class Live {
 public:
  /// `shown`: the events that the command line asks for. Others would push these out of the log, so all of a drain are
  /// looked at if it asks for some.
  Live(trace::Session& session, std::uint64_t iterations, Screen& screen, const view::Selector& shown)
      : session_(session), iterations_(iterations), screen_(screen) {
    screen_.set_command_lines(
        [this](std::uint32_t pid, const std::string& comm) { return command_lines_.find(pid, comm); });
    screen_.set_write([this] { return write_history(screen_.history(), session_); });
    const auto log = [this, shown](const model::Event& event) {
      if (shown.accepts(view::subject_of(event))) screen_.log().add(event);
    };
    session_.on_event(log, shown.empty() ? tui::EventLog::kEvents : SIZE_MAX);
  }
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;
  ~Live() { session_.on_event({}); }

  base::Result<void> run() {
    if (auto sampled = sample(); !sampled) return sampled;
    if (auto begun = screen_.begin(); !begun) return begun;
    while (!ended()) {
      const auto wake = screen_.wait(session_.ring_fd());
      if (!wake) return tl::unexpected(wake.error());
      if (auto handled = handle(*wake); !handled) return handled;
    }
    return {};
  }

 private:
  bool ended() const { return screen_.ended() || (iterations_ != 0 && samples_ >= iterations_); }

  base::Result<void> handle(EventLoop::Wake wake) {
    if (wake == EventLoop::Wake::kRing) return session_.drain();
    if (wake == EventLoop::Wake::kTimer) return tick();
    return {};
  }

  base::Result<void> tick() {
    if (auto sampled = sample(); !sampled) return sampled;
    ++samples_;
    screen_.draw();
    return {};
  }

  base::Result<void> sample() {
    if (auto sampled = session_.sample(false); !sampled) return sampled;
    session_.append_to(screen_.history());
    screen_.show_log();
    return {};
  }

  trace::Session& session_;
  const std::uint64_t iterations_;
  Screen& screen_;
  CommandLines command_lines_;
  std::uint64_t samples_ = 0;
};

}  // namespace

bool can_show_live(const TableOptions& options) {
  const bool wanted = !options.batch && options.output.format == TableFormat::kTable && ::isatty(STDOUT_FILENO) != 0;
  if (!wanted) return false;
  std::string why = ::isatty(STDIN_FILENO) == 0 ? "standard input is not a terminal, so no key can be read"
                                                : tui::why_unusable(STDOUT_FILENO);
  if (why.empty()) return true;
  spdlog::warn("{}; printing tables instead, as with -b", why);
  return false;
}

base::Result<int> run_live(EventLoop& loop, trace::Session& session, const TableOptions& options,
                           const view::View& shown) {
  session.record_peers(true);
  model::HistoryLimits limits;
  limits.bytes = kernel::share_of(kernel::memory_room(kernel::Procfs()), limits.bytes, 4);
  auto screen = Screen::open(loop, options, shown, limits);
  if (!screen) return tl::unexpected(screen.error());
  Live live(session, options.pace.iterations, **screen, shown.selector);
  if (auto done = live.run(); !done) return tl::unexpected(done.error());
  return kExitOk;
}

}  // namespace twtrace::app
