// SPDX-License-Identifier: Apache-2.0
// Finds what a user probably meant by a mistyped word.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace twtrace::base {

/// Returns the member of `known` that the user probably meant by `typed`: the one with the fewest letters to insert,
/// leave out, replace or swap with their neighbour. It allows one such change for every three letters begun. It ignores
/// case. The beginning of a name (two letters or more) counts as near, and so does its last part, as drops does for
/// queue_drops. Empty if none is near; the first if several are equally near.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> known);

/// The beginning of a hint: `did you mean "NEAREST"? `, or nothing if none is near.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known);

/// The hint of an error about a word that is not in `known`: names the nearest one, then all of them.
std::string expected_one_of(std::string_view typed, std::span<const std::string_view> known);

}  // namespace twtrace::base
