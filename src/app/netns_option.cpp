// SPDX-License-Identifier: Apache-2.0
#include "app/netns_option.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace twtrace::app {
namespace {

/// A pattern if it has a character of one, otherwise a whole name, an inode number or an id.
base::Result<view::Selector> parsed(const std::string& which) {
  if (which.empty() || which == "all") return view::Selector();
  const bool pattern = which.find_first_of("*?[") != std::string::npos;
  auto term = view::make_term("netns", pattern ? view::Op::kMatch : view::Op::kEqual, which, view::Grammar::kFilter);
  if (!term) return base::prepend(term.error(), "--netns");
  return view::Selector({std::move(*term)});
}

view::Subject subject_of(const model::NetnsName& netns) {
  view::Subject subject;
  subject.netns = netns.inum;
  subject.netns_id = netns.id;
  subject.netns_name = netns.name;
  return subject;
}

/// A name that nothing has yet may be that of a namespace which the command of a capture makes.
base::Error explained(base::Error error, const std::string& which) {
  const bool name = which.find('/') == std::string::npos && which.find_first_not_of("0123456789") != std::string::npos;
  if (error.code == base::ErrorCode::kNotFound && name) {
    error.hint += fmt::format("{}to wait for one that does not exist yet, use a pattern: '{}*'",
                              error.hint.empty() ? "" : "; ", which);
  }
  return error;
}

}  // namespace

base::Result<view::Selector> netns_on_host(const std::string& which, const trace::Session& session) {
  auto selector = parsed(which);
  if (!selector || selector->empty() || selector->terms().front().op == view::Op::kMatch) return selector;
  if (selector->terms().front().netns_id) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("--netns: {} is the id of a namespace in a capture", which),
                      "give self, an inode number, a name or a path");
  }
  const auto id = session.resolve_netns(which);
  if (!id) return base::prepend(explained(id.error(), which), "--netns");
  return view::Selector({view::netns_term(*id)});
}

base::Result<std::optional<view::Selector>> netns_if_in_capture(const std::string& which,
                                                                const model::CaptureInfo& capture) {
  auto selector = parsed(which);
  if (!selector || selector->empty()) return selector;
  const auto chosen = [&](const model::NetnsName& netns) { return selector->accepts(subject_of(netns)); };
  if (std::none_of(capture.namespaces.begin(), capture.namespaces.end(), chosen)) return std::nullopt;
  if (auto clear = view::check_unambiguous(*selector, capture.namespaces); !clear) {
    return base::prepend(clear.error(), "--netns");
  }
  return selector;
}

base::Error no_such_netns(const std::string& which, const std::string& capture) {
  return {base::ErrorCode::kUsage, 0, fmt::format("--netns: no network namespace of {} is \"{}\"", capture, which),
          "give a name, an inode number or id:N; twtrace replay -b -g netns -o wide -n 1 FILE lists them"};
}

base::Result<view::Selector> netns_of_capture(const std::string& which, const model::CaptureInfo& capture) {
  auto selector = netns_if_in_capture(which, capture);
  if (!selector) return tl::unexpected(selector.error());
  if (!*selector) return tl::unexpected(no_such_netns(which));
  return std::move(**selector);
}

}  // namespace twtrace::app
