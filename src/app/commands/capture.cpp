// SPDX-License-Identifier: Apache-2.0
// `twtrace capture`: records what happens around a command, or until Ctrl-C, into a file.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "app/after_start.hpp"
#include "app/capture_info.hpp"
#include "app/capture_progress.hpp"
#include "app/capture_report.hpp"
#include "app/command.hpp"
#include "app/command_process.hpp"
#include "app/log_options.hpp"
#include "app/option_groups.hpp"
#include "app/run_as.hpp"
#include "app/signals.hpp"
#include "app/streams.hpp"
#include "app/watch.hpp"
#include "base/clock.hpp"
#include "base/escape.hpp"
#include "base/log.hpp"
#include "capture/writer.hpp"
#include "logs/log_reader.hpp"
#include "trace/resources.hpp"

namespace twtrace::app {
namespace {

constexpr int kExitNotRun = 125;
constexpr int kSignalBase = 128;

void tell(const std::string& line) { write_stderr("twtrace: " + line + "\n"); }

constexpr double kDefaultBefore = 10;
constexpr double kDefaultAfter = 60;  ///< as long as TIME_WAIT lasts
constexpr double kMaxWindow = 86400;
constexpr double kMaxDuration = 31 * 86400.0;
constexpr double kMinDuration = 0.05;

struct CaptureOptions {
  std::string file = "twtrace.db";
  std::optional<double> before_s;    ///< only with a command
  std::optional<double> after_s;     ///< only with a command
  std::optional<double> duration_s;  ///< only without a command; empty: until a signal
  double delay_s = 1;
  bool events = false;
  std::optional<std::string> user;  ///< name or number; empty: as twtrace itself
  BudgetOptions budgets;
  LogOptions logs;
  FilterOptions filter;
  TracingOptions tracing;
  std::vector<std::string> command;  ///< empty: none

  void declare(OptionList& list);
  base::Result<void> check() const;
  base::Result<int> run(const Inherited& inherited) const;
};

void CaptureOptions::declare(OptionList& list) {
  list.section("Output");
  list.option("-o,--output", "FILE", "the file to write (default twtrace.db)", app::file(file));
  list.flag("--events", "also record every event", events);
  budgets.declare(list);
  list.section("Time");
  declare_delay(list, delay_s);
  list.option("--before", "SECONDS", "record this long before COMMAND (default 10)", seconds(before_s, 0, kMaxWindow));
  list.option("--after", "SECONDS", "record this long after COMMAND (default 60)", seconds(after_s, 0, kMaxWindow));
  list.option("--duration", "SECONDS", "without COMMAND: stop after this (else at Ctrl-C)",
              seconds(duration_s, kMinDuration, kMaxDuration));
  list.section("Command");
  list.option("--user", "USER", "run COMMAND as this user (a name or a number)", text(user));
  logs.declare(list);
  list.section("What is reported");
  filter.declare_names(list);
  tracing.declare(list);
  list.take_command = [this](const std::vector<std::string>& argv) -> base::Result<void> {
    command = argv;
    if (!command.empty() && !command.front().empty()) return {};
    return base::fail(base::ErrorCode::kUsage, "no command follows --", "name the command, or leave -- out");
  };
  list.check([this] { return check(); });
  list.notes.emplace_back(
      "COMMAND follows --, as in: twtrace capture -o deploy.db -- ./deploy.sh --fast\n"
      "The default of --after is 60 because TIME_WAIT lasts 60 seconds. An earlier\ncapture in FILE becomes FILE.old.");
}

base::Result<void> CaptureOptions::check() const {
  if (command.empty() && (before_s || after_s || user)) {
    const char* which = before_s ? "--before" : after_s ? "--after" : "--user";
    return base::fail(base::ErrorCode::kUsage, fmt::format("{} needs a command", which),
                      "put the command after --, or leave the option out");
  }
  if (!command.empty() && duration_s) {
    return base::fail(base::ErrorCode::kUsage, "--duration cannot be combined with a command",
                      "use --before and --after to set how long to record around the command");
  }
  return logs.check_not_of_capture(file);
}

/// Checks everything that can be wrong before anything is attached.
struct Checked {
  capture::TargetFile target;
  std::optional<RunAs> user;
};

base::Result<Checked> check(const CaptureOptions& options) {
  std::optional<RunAs> user;
  if (options.user) {
    auto found = find_user(*options.user);
    if (!found) return tl::unexpected(found.error());
    user = std::move(*found);
  }
  auto target = capture::TargetFile::check(options.file, capture::invoker());
  if (!target) return tl::unexpected(target.error());
  return Checked{std::move(*target), std::move(user)};
}

/// One capture from its first sample to its last.
class Capture {
 public:
  Capture(Watch& watch, const CaptureOptions& options, view::Selector selector, Checked& checked,
          std::optional<WaitingCommand> waiting, std::unique_ptr<logs::LogReader> logs,
          std::unique_ptr<NoForcedEnd> must_finish)
      : loop_(watch.loop),
        session_(watch.session),
        options_(options),
        selection_{std::move(selector), options.filter.as_typed},
        checked_(checked),
        path_(checked.target.path()),
        waiting_(std::move(waiting)),
        logs_(std::move(logs)),
        must_finish_(std::move(must_finish)) {}
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() { session_.on_event({}); }

  base::Result<int> run() {
    if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
    write_stderr("ready\n");
    if (options_.command.empty()) return run_alone();
    return run_around();
  }

 private:
  enum class Why { kDeadline, kChild, kSignal };

  base::Result<void> begin() {
    command_.argv = options_.command;
    if (logs_) {
      if (auto begun = logs_->begin(); !begun) return begun;
    }
    model::CaptureInfo info = capture_info(session_, options_.delay_s);
    info.started_unix_ms = clock_.unix_ms();
    info.logs = options_.logs.logs;
    info.settings_at_start = session_.settings(known_settings_);
    if (!command_.argv.empty()) info.command = command_;
    // Limited to what the report is about, so that a later report of the file judges the same.
    const auto budgets = report::narrowed(options_.budgets.budgets, options_.filter.budget_labels(selection_.selector));
    if (!budgets) return tl::unexpected(budgets.error());
    for (const report::Budget& budget : *budgets) info.budgets.push_back(budget.text);
    auto writer = capture::Writer::create(std::move(checked_.target), info, this_process());
    if (!writer) return tl::unexpected(writer.error());
    writer_ = std::move(*writer);
    note_processes();
    session_.record_peers(true);
    if (options_.events) {
      session_.on_event([this](const model::Event& event) {
        if (writer_) note(writer_->add_event(event));
      });
    }
    return loop_.set_interval(std::chrono::duration<double>(options_.delay_s));
  }

  base::Result<int> run_alone() {
    if (options_.duration_s) {
      if (auto set = loop_.set_deadline(std::chrono::duration<double>(*options_.duration_s)); !set) {
        return tl::unexpected(set.error());
      }
    }
    progress_.begin("recording", options_.duration_s);
    if (auto ended = wait(); !ended) return tl::unexpected(ended.error());
    sample(true);
    return end(kExitOk);
  }

  base::Result<int> run_around() {
    const auto before = wait_window("before the command", options_.before_s.value_or(kDefaultBefore));
    if (!before) return tl::unexpected(before.error());
    const bool interrupted = *before == Why::kSignal;
    sample(interrupted);  // otherwise the next sample would include time before the command
    if (interrupted) {
      tell("interrupted: the command was not run");
      return end(kExitNotRun);
    }
    command_.started_unix_ms = clock_.unix_ms();
    auto process = CommandProcess::start(std::move(*waiting_));
    waiting_.reset();
    if (!process) {
      command_.started_unix_ms.reset();
      base::log_error(process.error().error);
      return end(process.error().exit_code);
    }
    process_ = std::move(*process);
    if (writer_) note(writer_->set_command(command_));
    note_processes();
    return run_during();
  }

  /// Always waits for the command, whatever happens to the trace.
  base::Result<int> run_during() {
    loop_.watch_child(process_->pidfd());
    const auto ended = wait();
    loop_.watch_child(-1);
    const CommandProcess::End result = process_->wait();
    const int signals = process_->ending_signals();
    process_.reset();
    command_.ended_unix_ms = clock_.unix_ms();
    command_.exit_code = result.exit_code;
    command_.signal = result.signal;
    if (!ended) note_trace(tl::unexpected(ended.error()));
    if (writer_) note(writer_->set_command(command_));
    note_processes();
    const bool interrupted = signals > 1 || (ended && *ended == Why::kSignal);
    const bool goes_on = options_.after_s.value_or(kDefaultAfter) > 0 && !interrupted && !failed_;
    sample(!goes_on);
    if (goes_on) wait_after();
    return end(result.exit_code ? *result.exit_code : kSignalBase + result.signal.value_or(0));
  }

  void wait_after() {
    const double after = options_.after_s.value_or(kDefaultAfter);
    tell(fmt::format("the command has ended ({}); recording for another {:g} s, Ctrl-C stops it", how_it_ended(),
                     after));
    const auto waited = wait_window("after the command", after);
    if (!waited) note_trace(tl::unexpected(waited.error()));
    const bool interrupted = waited && *waited == Why::kSignal;
    if (interrupted && writer_) {
      note(writer_->add_mark({clock_.unix_ms(), fmt::format("interrupted: --after {:g} ended early", after)}));
    }
    sample(true);
  }

  std::string how_it_ended() const {
    return command_.exit_code ? fmt::format("exit code {}", *command_.exit_code)
                              : fmt::format("signal {}", command_.signal.value_or(0));
  }

  base::Result<Why> wait_window(const char* phase, double seconds) {
    if (seconds <= 0) return Why::kDeadline;
    if (auto set = loop_.set_deadline(std::chrono::duration<double>(seconds)); !set) return tl::unexpected(set.error());
    progress_.begin(phase, seconds);
    auto why = wait();
    progress_.end();  // while the command runs, the terminal is the command's
    clear_status();
    return why;
  }

  /// Records until something ends the phase. While a command runs, it gets the signals.
  base::Result<Why> wait() {
    while (true) {
      progress_.show();
      const auto wake = loop_.wait(session_.ring_fd());
      if (!wake) return tl::unexpected(wake.error());
      switch (*wake) {
        case EventLoop::Wake::kDeadline:
          return Why::kDeadline;
        case EventLoop::Wake::kChild:
          return Why::kChild;
        case EventLoop::Wake::kStop:
          return Why::kSignal;
        case EventLoop::Wake::kTimer:
          sample(false, false);
          break;
        default:
          if (!trace_error_) note_trace(session_.drain());
          break;
      }
    }
  }

  /// `last` asks for fresh numbers at any cost. `restart` begins the next interval now.
  void sample(bool last, bool restart = true) {
    if (trace_error_) return;
    auto log_lines = read_logs(last);  // first: what was written before the numbers are read belongs to them
    if (auto sampled = session_.sample(last); !sampled) return note_trace(std::move(sampled));
    if (restart) note_trace(loop_.set_interval(std::chrono::duration<double>(options_.delay_s)));
    if (!writer_) return;
    const auto settings = session_.settings(known_settings_);
    if (!settings.empty()) note(writer_->add_settings(settings));
    if (!writer_) return;
    model::Snapshot head = session_.head();
    head.log_lines = std::move(log_lines);
    progress_.set_numbers(table_words(head, selection_.selector));
    session_.with_source([&](const model::Source& source) { note(writer_->append(head, source)); });
  }

  /// The lines since the last sample; null if there are none. An error ends the reading of logs, not the capture.
  std::shared_ptr<const std::vector<model::LogLine>> read_logs(bool last) {
    if (!logs_) return nullptr;
    auto found = last ? logs_->finish() : logs_->look();
    if (!found) {
      base::log_error(found.error());
      failed_ = true;
      for (model::LogGaps& gaps : log_gaps_) gaps.problem = "the process that read it has ended, or did not answer";
      found = logs::Found{{}, log_gaps_};
      logs_.reset();
    }
    log_gaps_ = found->gaps;
    if (writer_) note(writer_->set_log_gaps(log_gaps_));
    if (found->lines.empty()) return nullptr;
    return std::make_shared<const std::vector<model::LogLine>>(std::move(found->lines));
  }

  void tell_log_problems() const {
    for (std::size_t i = 0; i < log_gaps_.size(); ++i) {
      if (log_gaps_[i].problem.empty()) continue;
      tell(fmt::format("{}: {}", base::sanitize_terminal(options_.logs.logs[i].name), log_gaps_[i].problem));
    }
  }

  /// A budget on names that no row has must tell who was idle from who was never there.
  void note_processes() {
    if (writer_) note(writer_->add_processes(session_.processes()));
  }

  /// An error of the file ends the file, not the command and not the trace.
  void note(base::Result<void> written) {
    if (written) return;
    if (writer_->in_place()) {
      written.error().what += "; what was written so far can be read";
    } else if (!writer_->placed()) {
      written.error().what += "; the earlier capture, if any, is unchanged";
    }
    base::log_error(written.error());
    failed_ = true;
    drop_writer();
  }

  /// Also called before the file is read, because closing the file would drop the writer's locks.
  void drop_writer() {
    if (!writer_) return;
    placed_ = writer_->in_place();
    writer_.reset();
  }

  void finish() {
    const std::int64_t ended_unix_ms = clock_.unix_ms();  // taken before the settings are read, which may take a while
    std::set<std::uint32_t> all;
    const auto left = writer_->finish(ended_unix_ms, session_.settings(all));
    if (const auto kept = writer_->kept_as()) {
      base::log_error(left.error());
      path_ = *kept;
      is_misplaced_ = true;
      writer_.reset();
      return;
    }
    if (!left) return note(tl::unexpected(left.error()));
    if (*left == capture::Left::kPlainFile) return;
    const std::string& file = options_.file;
    tell(
        fmt::format("{0}: another program is reading this file, so {0}-wal and {0}-shm remain; keep all three together",
                    base::sanitize_terminal(file)));
  }

  /// An error of the trace ends the trace, not the command.
  void note_trace(base::Result<void> traced) {
    if (traced || trace_error_) return;
    base::log_error(traced.error());
    trace_error_ = failed_ = true;
  }

  /// The command's own exit code has priority, then our own failure, then a budget.
  base::Result<int> end(int code) {
    if (!trace_error_) note_processes();
    logs_.reset();
    tell_log_problems();
    if (writer_ && !trace_error_) finish();
    drop_writer();
    must_finish_.reset();
    if (!placed_ && !is_misplaced_) return code != kExitOk ? code : kExitFailure;
    const bool around = !options_.command.empty();
    const auto breached = report_capture(path_, options_.budgets.partial, selection_, around);
    if (!breached) base::log_error(breached.error());
    if (code != kExitOk) return code;
    if (failed_ || !breached) return kExitFailure;
    if (*breached) return kExitBreached;
    return is_misplaced_ ? kExitFailure : kExitOk;  // who reads FILE now would read the earlier capture
  }

  EventLoop& loop_;
  trace::Session& session_;
  const CaptureOptions& options_;
  report::Selection selection_;
  Checked& checked_;
  std::string path_;
  std::optional<WaitingCommand> waiting_;  ///< until it runs
  std::unique_ptr<logs::LogReader> logs_;  ///< empty when no log is followed, or when it failed
  std::vector<model::LogGaps> log_gaps_;
  base::SystemClock clock_;
  CaptureProgress progress_{clock_, show_status};
  std::optional<capture::Writer> writer_;  ///< empty when it failed
  bool placed_ = false;                    ///< after it has become empty: whether the file was placed
  bool is_misplaced_ = false;              ///< the file is whole, but could not be placed
  std::optional<CommandProcess> process_;  ///< while it runs
  model::CapturedCommand command_;
  std::set<std::uint32_t> known_settings_;    ///< slots
  std::unique_ptr<NoForcedEnd> must_finish_;  ///< until the file is finished
  bool failed_ = false;
  bool trace_error_ = false;
};

/// Before anything is dropped: the command keeps the credentials of who called.
tl::expected<std::optional<WaitingCommand>, NotRun> make_command(const CaptureOptions& options, const Checked& checked,
                                                                 const Inherited& inherited) {
  if (options.command.empty()) return std::nullopt;
  if (auto found = find_command(options.command.front()); !found) return tl::unexpected(found.error());
  auto made =
      WaitingCommand::make(options.command, "TWTRACE_CAPTURE=" + checked.target.path(), inherited, checked.user);
  if (!made) return tl::unexpected(made.error());
  return std::optional(std::move(*made));
}

base::Result<void> drop_privileges(const CaptureOptions& options, const Checked& checked) {
  trace::Reduction reduction = writing_to(checked.target.path());
  const uid_t ours = reduction.account ? reduction.account->uid : ::geteuid();
  const uid_t commands = checked.user ? checked.user->uid : ::geteuid();
  if (!options.command.empty() && ours != commands) reduction.duties.insert(trace::Duty::kPassSignals);
  return drop_privileges(options.tracing, std::move(reduction));
}

base::Result<int> attach_and_run(const CaptureOptions& options, const Inherited& inherited) {
  // First, because everything else needs some: it would fail with another remedy.
  if (auto raised = trace::raise_open_files(); !raised) return tl::unexpected(raised.error());
  if (auto taken = take_signals_over(); !taken) return tl::unexpected(taken.error());
  take_signals_for_command();
  auto must_finish = std::make_unique<NoForcedEnd>();  // otherwise FILE.new would stay behind
  auto checked = check(options);
  if (!checked) return tl::unexpected(checked.error());
  auto waiting = make_command(options, *checked, inherited);
  if (!waiting) {
    base::log_error(waiting.error().error);
    return waiting.error().exit_code;
  }
  std::unique_ptr<logs::LogReader> logs;
  if (!options.logs.logs.empty()) {
    auto started = logs::LogReader::start(options.logs.logs);
    if (!started) return tl::unexpected(started.error());
    logs = std::move(*started);
  }
  std::signal(SIGXFSZ, SIG_IGN);  // turns the limit into an error of the write
  auto watch = begin_watch(options.tracing.session);
  if (!watch) return tl::unexpected(watch.error());
  auto selector = resolve_filter(watch->session, options.filter, options.tracing);
  if (!selector) return tl::unexpected(selector.error());
  if (auto dropped = drop_privileges(options, *checked); !dropped) return tl::unexpected(dropped.error());
  Capture capture(*watch, options, std::move(*selector), *checked, std::move(*waiting), std::move(logs),
                  std::move(must_finish));
  return capture.run();
}

base::Result<int> CaptureOptions::run(const Inherited& inherited) const {
  auto code = attach_and_run(*this, inherited);
  if (code || command.empty() || code.error().code == base::ErrorCode::kUsage) return code;
  base::log_error(code.error());
  return kExitNotRun;  // the caller must be able to tell this from the command's own failure
}

}  // namespace

extern const Command kCapture = {"capture", "record what happens around a command, or until Ctrl-C",
                                 prepare<CaptureOptions>};

}  // namespace twtrace::app
