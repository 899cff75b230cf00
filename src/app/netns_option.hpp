// SPDX-License-Identifier: Apache-2.0
// What --netns chooses, for every command that takes it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "model/recording.hpp"
#include "trace/session.hpp"
#include "view/selector.hpp"

namespace twtrace::app {

/// The namespaces that `which` chooses while a trace runs; empty or "all" chooses every one. "self", an inode number, a
/// name or a path chooses the namespace that it means now, and none that gets that number or name later. A pattern for
/// names chooses whatever matches, also later. kNotFound if it means none; kUsage for an id, which no trace has yet.
base::Result<view::Selector> netns_on_host(const std::string& which, const trace::Session& session);

/// The namespaces of a capture that `which` chooses: `id:N`, an inode number, a name, or a pattern for names. kUsage if
/// the capture has none such, or had several of that inode number or name one after another: the error lists their ids.
base::Result<view::Selector> netns_of_capture(const std::string& which, const model::CaptureInfo& capture);

}  // namespace twtrace::app
