// SPDX-License-Identifier: Apache-2.0
// Words that several findings share. Private to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "phrases/advice.hpp"
#include "report/report.hpp"

namespace twtrace::report {

inline constexpr const char* kNeverLower =
    "never lower tcp_max_tw_buckets to get rid of TIME_WAIT: more would be refused; tcp_fin_timeout does not shorten "
    "TIME_WAIT, and tcp_tw_recycle is gone since 4.12";

/// How a shell enters the namespace.
phrases::Place place_of(const model::NetnsRow& netns);
/// A command, run in the namespace. For a namespace that is gone: that nothing can be run there.
std::string in_namespace(const model::NetnsRow& netns, const std::string& command);
/// "netns host", or with the inode number if it has no name.
std::string title(const model::NetnsRow& netns);
/// "5,000, then 16,384": the limits during the capture; empty if none could be read.
std::string limits_seen(const NetnsReport& netns);
/// "12%", truncated, so that only what is full reads 100%. A capture may hold any number, so the text may be long.
std::string truncated_percent(double percent);
/// The same for a share, usually from 0 to 1.
std::string percent(double share);

using model::CountOf;

/// Owners by a count, largest first, without those that have 0.
std::vector<const Owner*> largest(const Report& report, CountOf count);
/// A line for each of the first kOwnersTold: the count, its share of `all`, and who. Then how many more there are.
std::vector<std::string> owner_lines(const std::vector<const Owner*>& owners, std::uint64_t all, CountOf count);

/// True if processes of the owner have ended, and connections with them: each had many, they came in a burst, and they
/// are most of what the owner closed. False for processes that live for one request, and for those that closed
/// connections all their life.
bool ended_at_once(const Owner& owner);
/// How many FIN_WAIT2 buckets of the owner are of processes that ended with their connections. These say nothing about
/// the other end: it still used a connection when the process ended.
std::uint64_t fin_wait2_of_ended(const Owner& owner);
/// The same as ended_at_once(), and its process serves or runs again.
bool was_restarted(const Report& report, const Owner& owner);
/// What to change, and what may go wrong then.
struct Remedy {
  std::string change;
  std::string risk;
};

/// What to change in the program to create fewer buckets, or in the way it is restarted. It is advice for somebody who
/// can follow it: a program that has ended cannot be changed now, and one that was drained need not be told to drain.
Remedy remedy(const Report& report, const Owner& owner);

/// A command that shows these system calls of the owner's program, also if it has ended.
std::string strace_words(const std::string& calls, const model::Row& owner);

inline constexpr const char* kOwnRange = "ports of the range that the client set for its sockets (IP_LOCAL_PORT_RANGE)";

/// The ports that a connect() in the namespace may choose; 0: not known.
std::uint64_t usable_ports(const NetnsReport& netns);
/// Sets what to do where the connections themselves need more ports than `usable`.
void advise_more_ports(Finding& finding, const NetnsReport& netns, std::uint64_t usable);
/// The value of tcp_tw_reuse that ports_taken() advises for a namespace: 2 where only destinations on loopback lack
/// ports, else 1. Empty: none, or it has that value.
std::optional<std::uint64_t> advised_reuse(const Report& report, std::optional<std::uint32_t> netns_id);

/// Sets what to do about a client that limits its ports itself.
void advise_wider_range(Finding& finding);
/// Sets what to do about a client that takes its port with bind().
void advise_against_bind(Finding& finding);

}  // namespace twtrace::report
