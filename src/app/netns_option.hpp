// SPDX-License-Identifier: Apache-2.0
// What --netns chooses, for every command that takes it.
#pragma once

#include <optional>
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
/// The same for one of several captures, which need not have all of the same namespaces: empty if it has none such.
base::Result<std::optional<view::Selector>> netns_if_in_capture(const std::string& which,
                                                                const model::CaptureInfo& capture);
/// What netns_of_capture() says if there is none such.
base::Error no_such_netns(const std::string& which, const std::string& capture = "the capture");

}  // namespace twtrace::app
