// SPDX-License-Identifier: Apache-2.0
// The captures of several hosts, for example of one deploy, side by side. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/report.hpp"

namespace twtrace::report {

/// One capture among several.
struct Host {
  std::string name;  ///< the host's; with the file if several captures are of hosts of that name
  std::string file;  ///< as typed
  Report report;
  std::string copy_of = {};  ///< the file before this one that is of the same capture; empty: none
};

/// What a service did on one host, or on all.
struct ServiceCounts {
  model::Counters counts;
  std::uint64_t before_start = 0;  ///< buckets that were there when the capture began
  double share = 0;                ///< of all created, refused, and from before the start, of all hosts; 0 to 1
};

/// A service, with all its processes, roles, ports and namespaces together.
struct ServicePart {
  model::RowKind kind = model::RowKind::kNormal;
  std::string name;  ///< as rows show it; without a service the process's
  ServiceCounts all;
  struct OnHost {
    std::size_t host = 0;  ///< index into Hosts::hosts
    ServiceCounts counts;
  };
  std::vector<OnHost> hosts;  ///< most arrivals first, then most harm
};

/// A capture that was given and is not in the report.
struct LeftOut {
  std::string file;        ///< as typed
  std::string why;         ///< the error
  bool is_unread = false;  ///< it could not be read; false: it has no namespace that --netns asks for
  bool fails = false;      ///< it could be read, and a budget that it was given fails
};

/// What combine() makes.
struct Hosts {
  std::vector<Host> hosts;            ///< the worst first: budgets breached, most refused, most harm, fullest table
  std::vector<ServicePart> services;  ///< most arrivals first, then most harm
  std::vector<LeftOut> left_out = {};
};

/// Combines captures, at least one. Gives the hosts their names.
Hosts combine(std::vector<Host> captures, std::vector<LeftOut> left_out = {});
/// How many captures could not be read.
std::size_t unread(const Hosts& hosts);
/// True if a budget is breached on some host, in a capture that is left out, too, or if budgets were not judged because
/// a capture could not be read.
bool breached(const Hosts& hosts);
/// Which captures could not be read, how many hosts, which is the worst, and its headline.
std::string headline(const Hosts& hosts);
/// The highest part of the limit of the first namespace, the fullest, in percent; empty if its limit is not known.
std::optional<double> peak_percent(const Report& report);

}  // namespace twtrace::report
