// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/base_sink.h>

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "base/escape.hpp"

namespace twtrace::base {

namespace {

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(LogWriter write) : write_(write) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_("twtrace: " + std::string(message.payload.data(), message.payload.size()) + "\n");
  }
  void flush_() override {}

 private:
  LogWriter write_;
};

}  // namespace

void init_logging(int verbosity, LogWriter write) {
  auto logger = std::make_shared<spdlog::logger>("twtrace", std::make_shared<Sink>(write));
  logger->set_level(verbosity >= 2 ? spdlog::level::debug : verbosity == 1 ? spdlog::level::info : spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void log_error(const Error& error) {
  const std::string text = error.hint.empty() ? error.what : error.what + "; " + error.hint;
  spdlog::error("{}", sanitize_terminal(text));  // it may contain user input and file names
}

/// Takes the place of the logger's sinks.
struct LogHold::Lines final : spdlog::sinks::base_sink<std::mutex> {
  static constexpr std::size_t kMost = 100;
  std::deque<std::string> held;
  std::string newest;
  std::vector<spdlog::sink_ptr> before;

  std::string take_newest() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(newest, {});
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    newest = std::string(message.payload.data(), message.payload.size());
    held.push_back(newest);
    if (held.size() > kMost) held.pop_front();
  }
  void flush_() override {}
};

LogHold::LogHold() : lines_(std::make_shared<Lines>()) {
  lines_->before = std::exchange(spdlog::default_logger()->sinks(), {lines_});
}

LogHold::~LogHold() {
  spdlog::default_logger()->sinks() = lines_->before;
  // Writes to the sinks directly, because held lines have already passed the level.
  for (const std::string& line : lines_->held) {
    for (const spdlog::sink_ptr& sink : lines_->before) sink->log({"twtrace", spdlog::level::warn, line});
  }
}

std::string LogHold::newest() { return sanitize_terminal(lines_->take_newest()); }

}  // namespace twtrace::base
