// SPDX-License-Identifier: Apache-2.0
// What somebody probably meant who made a typing mistake.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace twtrace::base {

/// The one of `known` that `typed` was probably meant to be: the least number of letters to insert, leave out, replace
/// or swap with their neighbour, one for every three letters begun at most. Upper and lower case are the same, and the
/// beginning of a word (two letters or more) is near it. Empty when none is near; of equally near ones the first.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> known);

/// `did you mean "NEAREST"? `, or nothing when none is near: what a hint begins with.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known);

/// The hint of an error about a word that is none of `known`: the nearest one, and all of them.
std::string expected_one_of(std::string_view typed, std::span<const std::string_view> known);

}  // namespace twtrace::base
