// SPDX-License-Identifier: Apache-2.0
// Prints the running case on standard error. JUnit output comes only at the end, and a machine may hang before that.
#include <chrono>
#include <cstdio>

#include "support/catch.hpp"

namespace {

class ProgressListener : public Catch::EventListenerBase {
 public:
  using Catch::EventListenerBase::EventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override {
    Catch::EventListenerBase::testCaseStarting(info);
    started_ = std::chrono::steady_clock::now();
    std::fprintf(stderr, "%s ...\n", info.name.c_str());
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
    std::fprintf(stderr, "  %.1f s, %zu failed assertions\n", took.count(), stats.totals.assertions.failed);
    Catch::EventListenerBase::testCaseEnded(stats);
  }

 private:
  std::chrono::steady_clock::time_point started_;
};

CATCH_REGISTER_LISTENER(ProgressListener)

}  // namespace
