// SPDX-License-Identifier: Apache-2.0
#include "view/filter.hpp"

#include <fnmatch.h>

#include "view/service_names.hpp"

namespace twtrace::view {

bool glob(const std::string& pattern, const std::string& text) {
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool Filter::empty() const { return !pid && !comm && !service && !netns && !only_ipv4 && !only_ipv6 && !only_matched; }

bool Filter::accepts(const model::Identity& identity, std::uint32_t netns_inum) const {
  if (pid && identity.pid != pid) return false;
  if (comm && !glob(*comm, identity.comm)) return false;
  if (service && !service_matches(*service, identity.service)) return false;
  if (netns && netns_inum != *netns) return false;
  if (only_ipv4 && identity.ipv6) return false;
  if (only_ipv6 && !identity.ipv6) return false;
  return !only_matched || identity.matched;
}

}  // namespace twtrace::view
