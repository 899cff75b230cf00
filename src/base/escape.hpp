// SPDX-License-Identifier: Apache-2.0
// Names are attacker-controlled bytes. Each sink passes them through one of these functions before they reach a reader.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace twtrace::base {

/// Text that is safe in one line of a terminal or log. Control characters (C0, DEL, C1 raw and encoded), bytes that are
/// not UTF-8, and invisible code points (bidi controls, zero width, line separators; is_invisible()) become visible
/// escapes: `\x1B` for one byte, `\u{202E}` for a code point above ASCII. Everything else stays unchanged, including
/// backslashes, so the result is for reading, not for decoding.
std::string sanitize_terminal(std::string_view bytes);

/// True when `bytes` is well-formed UTF-8.
bool is_valid_utf8(std::string_view bytes);

/// Lower-case hexadecimal digits, two per byte.
std::string hex(std::string_view bytes);

/// One word of a shell command: quoted, unless it has only characters that every shell leaves alone. People paste
/// commands, and others choose the names in them.
std::string shell_word(std::string_view text);

/// One CSV cell of text (RFC 4180): quoted when it holds a comma, a quote, CR or LF. A cell that a spreadsheet would
/// take for a formula (first byte = + - @ TAB CR) gets a leading apostrophe, inside the quotes. Numbers are written by
/// the caller and need no guard.
std::string csv_cell(std::string_view text);

/// Text between HTML tags, or inside a quoted attribute. Characters that HTML interprets become references. Invisible
/// characters become visible as in sanitize_terminal().
std::string html_text(std::string_view bytes);

/// Text for one line of Markdown, or for a table cell. Characters that Markdown or the HTML in it interprets become
/// references. Invisible characters become visible as in sanitize_terminal(). Nothing becomes an autolink.
std::string markdown_text(std::string_view bytes);

/// Columns that `utf8` takes on a terminal; an ill-formed subpart counts 1. Sanitize first: control characters count 0
/// here whatever a terminal would do with them.
std::size_t display_width(std::string_view utf8);

/// Returns `utf8` if it fits into `columns`. Otherwise returns the longest prefix of whole characters (with their
/// combining marks) that leaves room for a `~`, followed by the `~`. The result is never wider than `columns`, and one
/// column narrower if a wide character did not fit. With a `tail` less than `columns`, the `~` stands in front of the
/// last `tail` columns instead.
std::string fit(std::string_view utf8, std::size_t columns, std::size_t tail = 0);

/// `utf8` in parts of at most `columns`, broken at blanks. A word that is wider becomes a part as fit() cuts it.
std::vector<std::string> broken(std::string_view utf8, std::size_t columns);

enum class Align { kLeft, kRight };

/// fit(), padded with spaces to exactly `columns`.
std::string pad(std::string_view utf8, std::size_t columns, Align align);

}  // namespace twtrace::base
