// SPDX-License-Identifier: Apache-2.0
#include "support/twtrace_run.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include "support/environment.hpp"
#include "support/netns_sandbox.hpp"

namespace twtrace::test {
namespace {

std::vector<std::string> command_line(const std::vector<std::string>& extra, const std::string& delay) {
  std::vector<std::string> argv = {twtrace_binary(),
                                   "-b",
                                   "--json",
                                   "-g",
                                   "pid",
                                   "-d",
                                   delay,
                                   "-r",
                                   "1000000",
                                   "--probe",
                                   environment("TWTRACE_PROBE", "auto")};
  argv.insert(argv.end(), extra.begin(), extra.end());
  return argv;
}

struct SharedRun {
  std::unique_ptr<TwtraceRun> run;
  int uses = 0;
};

SharedRun& shared() {
  static SharedRun one;
  return one;
}

nlohmann::json end_shared_run() {
  const std::unique_ptr<TwtraceRun> ended = std::move(shared().run);
  nlohmann::json last = ended ? ended->stop() : nlohmann::json();
  NetnsSandbox::release_kept();  // the next run must not see the namespaces of this one
  return last;
}

}  // namespace

TwtraceRun::TwtraceRun(const std::vector<std::string>& extra_arguments, const std::string& delay)
    : process_((end_shared_run(), command_line(extra_arguments, delay))) {
  if (!process_.wait_for_error("ready\n")) {
    throw std::runtime_error("twtrace did not become ready: " + process_.standard_error());
  }
}

/// True when there are new complete lines.
bool TwtraceRun::read_lines() {
  const std::string text = process_.standard_output(read_);
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos) return false;
  const std::size_t before = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  last_line_ = text.substr(before + 1, end - before - 1);  // npos + 1 is 0
  lines_ += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  read_ += end + 1;
  return true;
}

nlohmann::json TwtraceRun::fresh() {
  read_lines();
  const std::uint64_t wanted = lines_ + 2;  // the numbers of the next line may already have been taken
  const bool came = wait_until([&] { return read_lines() && lines_ >= wanted; });
  if (!came) throw std::runtime_error("twtrace prints no more snapshots: " + process_.standard_error());
  return nlohmann::json::parse(last_line_);
}

nlohmann::json TwtraceRun::wait_for(const std::function<bool(const nlohmann::json&)>& condition,
                                    milliseconds deadline) {
  nlohmann::json last;
  wait_until(
      [&] {
        if (!read_lines() && !last.is_null()) return false;
        if (!last_line_.empty()) last = nlohmann::json::parse(last_line_);
        return !last.is_null() && condition(last);
      },
      deadline);
  return last;
}

nlohmann::json TwtraceRun::stop(int signal) {
  process_.signal(signal);
  const std::optional<int> code = process_.wait();
  if (code != 0) {
    throw std::runtime_error("twtrace ended with " + (code ? std::to_string(*code) : "nothing") + ": " +
                             process_.standard_error());
  }
  read_lines();
  return last_line_.empty() ? nlohmann::json() : nlohmann::json::parse(last_line_);
}

TwtraceRun& shared_twtrace() {
  constexpr int kUses = NetnsSandbox::kInodesKept / 4;
  if (!shared().run || shared().uses == kUses) return restarted_twtrace();
  ++shared().uses;
  return *shared().run;
}

TwtraceRun& restarted_twtrace() {
  shared() = {std::make_unique<TwtraceRun>(), 1};  // its constructor ends the previous one
  return *shared().run;
}

nlohmann::json stop_shared_twtrace() { return end_shared_run(); }

}  // namespace twtrace::test
