// SPDX-License-Identifier: Apache-2.0
// What every capture file of a session says of itself.
#pragma once

#include "capture/writer.hpp"
#include "model/recording.hpp"
#include "trace/session.hpp"

namespace twtrace::app {

/// Versions, host, backend, interval and the size of a bucket; when it begins and whose settings are for the caller.
model::CaptureInfo capture_info(const trace::Session& session, double interval_s);

/// This process, as a capture file names it.
capture::WriterProcess this_process();

}  // namespace twtrace::app
