// SPDX-License-Identifier: Apache-2.0
#include "support/twtrace_run.hpp"

#include <stdexcept>

#include "support/environment.hpp"

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

// The last line that is complete, without its newline.
std::string last_line(std::string text) {
  const std::size_t end = text.rfind('\n');
  if (end == std::string::npos) return {};
  text.resize(end);
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

TwtraceRun::TwtraceRun(const std::vector<std::string>& extra_arguments, const std::string& delay)
    : process_(command_line(extra_arguments, delay)) {
  if (!process_.wait_for_error("ready\n")) {
    throw std::runtime_error("twtrace did not become ready: " + process_.standard_error());
  }
}

nlohmann::json TwtraceRun::snapshot() const {
  const std::string line = last_line(process_.standard_output());
  return line.empty() ? nlohmann::json() : nlohmann::json::parse(line);
}

nlohmann::json TwtraceRun::wait_for(const std::function<bool(const nlohmann::json&)>& condition,
                                    milliseconds deadline) const {
  nlohmann::json last;
  wait_until(
      [&] {
        last = snapshot();
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
  return snapshot();
}

}  // namespace twtrace::test
