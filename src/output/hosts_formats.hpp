// SPDX-License-Identifier: Apache-2.0
// The report of several hosts in every format.
#pragma once

#include <string>

#include "output/style.hpp"
#include "report/hosts.hpp"

namespace twtrace::output {

std::string hosts_text(const report::Hosts& hosts, Color color);
std::string hosts_markdown(const report::Hosts& hosts);
/// One line of ASCII without a newline, schema "twtrace.hosts/1".
std::string hosts_json(const report::Hosts& hosts);
/// Every service on every host.
std::string hosts_csv(const report::Hosts& hosts);
/// One file, no script, no network.
std::string hosts_html(const report::Hosts& hosts);

}  // namespace twtrace::output
