// SPDX-License-Identifier: Apache-2.0
#include "loader/backend.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace twtrace::loader;

namespace {

Features all_features() {
  Features features;
  features.kernel_btf = true;
  features.mib_overflow = 73;
  return features;
}

std::vector<std::string> programs_of(Backend backend, const Features& features) {
  std::vector<std::string> used;
  for (const char* name :
       {"on_fentry_send_fin", "on_fexit_twsk_alloc", "on_kprobe_send_fin", "on_kprobe_twsk_alloc",
        "on_kretprobe_twsk_alloc", "on_kprobe_destroy_sock", "on_kprobe_disconnect", "on_kprobe_twsk_destructor",
        "on_kretprobe_twsk_unique", "on_tracepoint_first", "on_typed_reset_received", "on_raw_reset_received",
        "on_reset_sent", "on_fentry_send_reset", "on_kprobe_send_reset"}) {
    if (uses_program(backend, name, features)) used.emplace_back(name);
  }
  CHECK(uses_program(backend, "sweep_buckets", features));
  return used;
}

}  // namespace

TEST_CASE("the kprobe backend counts by the tracepoint where that can be attached") {
  CHECK(programs_of(Backend::kKprobe, all_features()) ==
        std::vector<std::string>{"on_kprobe_twsk_destructor", "on_kretprobe_twsk_unique", "on_tracepoint_first",
                                 "on_typed_reset_received", "on_reset_sent"});
}

TEST_CASE("without the tracepoint, kprobes count") {
  const std::vector<std::string> all = {
      "on_kprobe_send_fin",       "on_kprobe_twsk_alloc",  "on_kretprobe_twsk_alloc",
      "on_kprobe_destroy_sock",   "on_kprobe_disconnect",  "on_kprobe_twsk_destructor",
      "on_kretprobe_twsk_unique", "on_raw_reset_received", "on_reset_sent"};
  Features features = all_features();
  features.tracepoint = false;
  CHECK(programs_of(Backend::kKprobe, features) == all);
  features = all_features();
  features.kernel_btf = false;
  CHECK(programs_of(Backend::kKprobe, features) == all);
  features = all_features();
  features.mib_overflow = 0;
  CHECK(programs_of(Backend::kKprobe, features) == all);
}

TEST_CASE("fentry and the tracepoint have programs of their own") {
  CHECK(programs_of(Backend::kFentry, all_features()) ==
        std::vector<std::string>{"on_fentry_send_fin", "on_fexit_twsk_alloc", "on_typed_reset_received",
                                 "on_reset_sent"});
  CHECK(programs_of(Backend::kTracepoint, all_features()) ==
        std::vector<std::string>{"on_tracepoint_first", "on_typed_reset_received", "on_reset_sent"});
}

TEST_CASE("where the tracepoint does not show every reset, the functions that send them have programs") {
  const auto send_reset = [](Backend backend, const Features& features) {
    return std::vector<bool>{
        uses_program(backend, "on_reset_sent", features), uses_program(backend, "on_fentry_send_reset_v6", features),
        uses_program(backend, "on_kprobe_send_reset", features), resets_by_function(backend, features)};
  };
  Features features = all_features();
  features.send_reset = true;
  CHECK(send_reset(Backend::kFentry, features) == std::vector<bool>{true, true, false, true});
  CHECK(send_reset(Backend::kKprobe, features) == std::vector<bool>{true, false, true, true});
  CHECK(send_reset(Backend::kTracepoint, features) == std::vector<bool>{true, false, false, false});
  features.reset_reason = true;
  CHECK(send_reset(Backend::kFentry, features) == std::vector<bool>{true, false, false, false});
  CHECK(send_reset(Backend::kKprobe, features) == std::vector<bool>{true, false, false, false});
  features.reset_reason = false;
  features.probe_read = false;
  CHECK(send_reset(Backend::kFentry, features) == std::vector<bool>(4, false));
}

TEST_CASE("if only one backend was asked for, it is not said that none works") {
  CHECK(std::string(none_works_words(std::nullopt)) == "no backend works here");
  CHECK(std::string(none_works_words(Backend::kKprobe)) == "the backend that was asked for does not work here");
}
