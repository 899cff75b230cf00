// SPDX-License-Identifier: Apache-2.0
#include "view/comparison.hpp"

#include <algorithm>
#include <array>

namespace twtrace::view {
namespace {

/// An operator stands before those that it begins with.
constexpr std::array<Operator, 7> kOperators = {{{"==", Op::kEqual},
                                                 {"!=", Op::kNotEqual},
                                                 {">=", Op::kGreaterEqual},
                                                 {"<=", Op::kLessEqual},
                                                 {"=", Op::kMatch},
                                                 {">", Op::kGreater},
                                                 {"<", Op::kLess}}};

}  // namespace

const Operator* leading_operator(std::string_view text) {
  const auto* const found = std::find_if(kOperators.begin(), kOperators.end(),
                                         [&](const Operator& known) { return text.starts_with(known.text); });
  return found == kOperators.end() ? nullptr : found;
}

std::string_view to_string(Op op) {
  return std::find_if(kOperators.begin(), kOperators.end(), [op](const Operator& known) { return known.op == op; })
      ->text;
}

bool holds(double left, Op op, double right) {
  switch (op) {
    case Op::kMatch:
    case Op::kEqual:
      return left == right;
    case Op::kNotEqual:
      return left != right;
    case Op::kGreater:
      return left > right;
    case Op::kGreaterEqual:
      return left >= right;
    case Op::kLess:
      return left < right;
    case Op::kLessEqual:
      return left <= right;
  }
  return false;
}

}  // namespace twtrace::view
