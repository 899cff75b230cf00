// SPDX-License-Identifier: Apache-2.0
// Private to capture: more than these is in no file, because the writer cuts or refuses it (fitting.hpp). They keep a
// made-up file from costing more time and memory than its size explains, and sums of its numbers from overflowing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace twtrace::capture {

/// Counts since the start, of everything together; 35 trillion, a year of a million per second.
inline constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 45U;
/// Gauges and settings: the kernel's are of 32 bits.
inline constexpr std::uint64_t kMaxGauge = std::uint64_t{1} << 32U;
inline constexpr std::uint32_t kMaxPid = 1U << 22U;  ///< PID_MAX_LIMIT of linux/threads.h
/// Seconds, percent and nanoseconds: what is not 0 is neither longer nor shorter.
inline constexpr double kMostReal = 1e9;
inline constexpr double kLeastReal = 1e-9;

/// The last moment of the year 9999.
inline constexpr std::int64_t kLastUnixMs = 253'402'300'799'999;

/// Bytes of a word: versions, names of processes and namespaces, addresses.
inline constexpr std::size_t kLongestWord = 256;
/// Bytes of a path, of what was made of one, and of a sentence: PATH_MAX.
inline constexpr std::size_t kLongestPath = 4096;
/// Bytes of an argument: MAX_ARG_STRLEN of linux/binfmts.h.
inline constexpr std::size_t kLongestArgument = std::size_t{1} << 17U;
/// Of all arguments together, each with its end and a pointer to it: _STK_LIM / 4 * 3 of fs/exec.c (bprm_stack_limits).
inline constexpr std::size_t kLongestCommand = std::size_t{6} << 20U;

/// Bytes that an argument takes of kLongestCommand.
constexpr std::size_t argument_bytes(std::string_view argument) { return argument.size() + 1 + sizeof(char*); }

inline constexpr std::size_t kMostFallbacks = 64;
inline constexpr std::size_t kLongestBudget = 4096;  ///< bytes; report::parse_budget() refuses longer ones
inline constexpr std::size_t kMostBudgets = 100;     ///< report::kMostBudgets
/// Lines of logs in one sample (logs::kMostPerTake and one per log), and the bytes of one (logs::kLongestText).
inline constexpr std::size_t kMostLogLines = 10'016;
inline constexpr std::size_t kLongestLogText = 512;
inline constexpr std::size_t kLongestPattern = 1024;  ///< bytes
inline constexpr std::size_t kMostMarks = 100'000;
inline constexpr std::size_t kMostNamespaces = std::size_t{1}
                                               << 17U;         ///< one after the other; TW_MAX_NETNS at one time
inline constexpr std::size_t kMostSettings = kMostNamespaces;  ///< at the start, and at the end
inline constexpr std::size_t kMostPortUse = 64;                ///< of one sample
/// Owners, or peers, at one time (TW_MAX_ROWS, and as many of ended processes as --max-rows takes), and the bytes of
/// their names.
inline constexpr std::size_t kMostKeys = std::size_t{1} << 17U;
inline constexpr std::size_t kMostKeyBytes = std::size_t{1} << 28U;

}  // namespace twtrace::capture
