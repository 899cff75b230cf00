// SPDX-License-Identifier: Apache-2.0
#include "base/escape.hpp"

#include "base/unicode.hpp"
#include "support/replaced_utf8.hpp"
#include "target.hpp"

namespace twtrace::fuzz {
namespace {

// RFC 4180: the text of a single cell; a lone cell holds no bare comma or line end.
std::string unquoted(std::string_view cell) {
  if (cell.empty() || cell.front() != '"') {
    require(cell.find_first_of(",\"\r\n") == std::string_view::npos, "a special character is quoted");
    return std::string(cell);
  }
  require(cell.size() >= 2 && cell.back() == '"', "a quoted cell ends with its quote");
  std::string result;
  for (std::size_t i = 1; i + 1 < cell.size(); ++i) {
    if (cell[i] == '"') require(i + 2 < cell.size() && cell[++i] == '"', "a quote is doubled");
    result += cell[i];
  }
  return result;
}

void check_csv(std::string_view input) {
  const std::string value = unquoted(base::csv_cell(input));
  const bool formula = !input.empty() && std::string_view("=+-@\t\r").find(input.front()) != std::string_view::npos;
  require(value == (formula ? "'" : "") + std::string(input), "a cell reads back");
}

void check_widths(const std::string& text) {
  for (const std::size_t columns : {0U, 1U, 2U, 7U, 80U}) {
    const std::string cut = base::fit(text, columns);
    require(base::display_width(cut) <= columns, "fit() fits");
    require(!base::is_valid_utf8(text) || base::is_valid_utf8(cut), "fit() cuts whole characters");
    for (const base::Align align : {base::Align::kLeft, base::Align::kRight}) {
      require(base::display_width(base::pad(text, columns, align)) == columns, "pad() pads to the column");
    }
  }
}

void check_sanitized(const std::string& visible) {
  require_printable(visible);
  for (std::string_view rest = visible; !rest.empty();) {
    const base::Decoded step = base::decode_utf8(rest);
    require(step.valid && !base::is_invisible(step.code_point), "everything is visible");
    rest.remove_prefix(step.size);
  }
  require(base::sanitize_terminal(visible) == visible, "what is visible stays as it is");
}

void run(Bytes bytes) {
  const std::string input(text(bytes));
  const std::string visible = base::sanitize_terminal(input);
  check_sanitized(visible);
  const std::string replaced = test::replaced_utf8(input);
  require(base::is_valid_utf8(replaced), "replaced text is UTF-8");
  require((replaced == input) == base::is_valid_utf8(input), "only ill-formed text is replaced");
  require(base::hex(input).size() == 2 * input.size(), "two digits per byte");
  check_csv(input);
  check_csv(visible);
  check_widths(input);
  check_widths(visible);
}

}  // namespace

Target escape_target() {
  return {"escape",
          run,
          {"plain", "=1+1", "a,\"b\"\r\nc", "\x1b[31mred\x1b[0m",
           "\xe2\x80\xae"
           "bidi",
           "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "e\xcc\x81\xcc\x81", "\xf0\x9f\x98\x80 \xf0\x9f\x98\x80",
           "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", std::string("nul\0in", 6), "\xc2\x85\xe2\x80\xa8\xef\xbb\xbf"},
          10'000};
}

}  // namespace twtrace::fuzz
