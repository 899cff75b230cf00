// SPDX-License-Identifier: Apache-2.0
#include "tui/mouse.hpp"

namespace twtrace::tui {
namespace {

/// Added to each number of an X10 report, so that it is no control character.
constexpr std::uint32_t kX10Offset = 32;
/// The button without the keys that were held: Shift, Meta and Control.
constexpr std::uint32_t kHeldKeys = 4 + 8 + 16;
constexpr std::uint32_t kFirstButton = 0;
constexpr std::uint32_t kWheelUp = 64;
constexpr std::uint32_t kWheelDown = 65;
constexpr std::uint32_t kLargestPlace = 65536;

}  // namespace

void MouseReport::begin(Form form) {
  form_ = form;
  open_ = true;
  field_ = 0;
  fields_ = {};
}

MouseReport::Step MouseReport::take(std::uint32_t character) {
  if (!open_) return {};
  return form_ == Form::kX10 ? take_byte(character) : take_number(character);
}

MouseReport::Step MouseReport::take_byte(std::uint32_t character) {
  if (character < kX10Offset || character > 255) {
    drop();
    return {};
  }
  fields_[field_++] = character - kX10Offset;
  return field_ == fields_.size() ? complete(true) : Step{true, {}};
}

MouseReport::Step MouseReport::take_number(std::uint32_t character) {
  const bool is_last = field_ + 1 == fields_.size();
  if (character >= '0' && character <= '9') {
    std::uint32_t& number = fields_[field_];
    number = number * 10 + (character - '0');
    if (number <= kLargestPlace) return {true, {}};
  } else if (character == ';' && !is_last) {
    ++field_;
    return {true, {}};
  } else if ((character == 'M' || character == 'm') && is_last) {
    return complete(character == 'M');
  }
  drop();
  return {};
}

MouseReport::Step MouseReport::complete(bool pressed) {
  drop();
  const auto [button, column, row] = fields_;
  Step step{true, {}};
  if (!pressed || column == 0 || row == 0) return step;
  switch (button & ~kHeldKeys) {
    case kFirstButton:
      step.key = Key{0, Special::kClick, static_cast<std::uint16_t>(row - 1), static_cast<std::uint16_t>(column - 1)};
      break;
    case kWheelUp:
      step.key = Key{0, Special::kWheelUp};
      break;
    case kWheelDown:
      step.key = Key{0, Special::kWheelDown};
      break;
    default:
      break;  // other buttons, the release of one (3 in an X10 report), and movements
  }
  return step;
}

}  // namespace twtrace::tui
