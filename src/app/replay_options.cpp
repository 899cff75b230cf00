// SPDX-License-Identifier: Apache-2.0
// The options of replay.
#include "app/option_groups.hpp"

namespace twtrace::app {

void add_replay_options(CLI::App& app, Options& options, Raw& raw) {
  add_view_options(app, options, raw);
  app.add_option("file", options.replay.file, "capture file (default twtrace.db)")->option_text("FILE");
}

base::Result<void> check_replay_options(Options& options, const Raw& raw) {
  if (auto usable = check_view_options(options, raw); !usable) return usable;
  if (options.session.local_port == 0 && options.session.remote_port == 0) return {};
  return base::fail(base::ErrorCode::kUsage, "-L and -D choose what is counted: that is done when a capture is taken",
                    "filter by the service port: / and port=PORT in the live view");
}

}  // namespace twtrace::app
