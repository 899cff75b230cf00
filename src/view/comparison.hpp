// SPDX-License-Identifier: Apache-2.0
// The comparisons of selectors and budgets.
#pragma once

#include <string_view>

namespace twtrace::view {

/// kMatch is `=`: for names, see Pattern; for numbers the same as kEqual.
enum class Op { kMatch, kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual };

/// An operator as it is typed: "=", "==", "!=", ">", ">=", "<", "<=".
struct Operator {
  std::string_view text;
  Op op;
};
/// The operator that `text` begins with; nullptr when it begins with none.
const Operator* leading_operator(std::string_view text);
std::string_view to_string(Op op);

/// Whether `left OP right` holds.
bool holds(double left, Op op, double right);

}  // namespace twtrace::view
