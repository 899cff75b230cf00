// SPDX-License-Identifier: Apache-2.0
#include "output/html_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

// A table as a list: a row is a paragraph, and each cell has the title of its column in front.
#define TWTRACE_LIST_OF(table)                                                                                     \
  table "," table " tbody," table " tr{display:block}" table "{font-size:13px}" table " thead{display:none}" table \
        " tr{border-bottom:1px solid var(--line);padding:.3rem}" table                                             \
        " td{display:inline-block;border:0;"                                                                       \
        "padding:0 .8rem 0 0;max-width:100%}" table " td:empty{display:none}" table                                \
        " td::before{content:attr(data-t) \" \";font-size:8px;font-weight:700}"

namespace twtrace::output {

const char* const kHtmlStyle =
    ":root{color-scheme:light dark;--line:#8884;--soft:#8881;--bad:#c62828;--good:#2e7d32;--warn:#945700}"
    "@media(prefers-color-scheme:dark){:root{--bad:#ff8a80;--good:#81c784;--warn:#ffb74d}}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1.25rem;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}"
    "h3{font-size:1rem;margin:0 0 .4rem}b{white-space:nowrap}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;max-width:100%}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}"
    "thead th{border-bottom-width:2px;white-space:nowrap}td.n{white-space:nowrap;overflow-wrap:normal}"
    "tbody tr:nth-child(even){background:var(--soft)}"
    TWTRACE_LIST_OF("table.list")
    "table.facts th{font-weight:600;white-space:nowrap}table.facts tr{background:none}"
    "p.headline{font-size:1.1rem;margin:.25rem 0 1rem}"
    "p.verdict{color:inherit;background:var(--soft);border-left:6px solid;border-radius:4px;padding:.6rem .9rem}"
    "p.verdict.bad{border-color:var(--bad)}p.verdict.good{border-color:var(--good)}"
    "p.verdict.warn{border-color:var(--warn)}"
    ".bad{color:var(--bad)}.good{color:var(--good)}.warn{color:var(--warn)}"
    "article{border:1px solid var(--line);border-left:4px solid var(--line);border-radius:4px;padding:.8rem 1rem;"
    "margin:.8rem 0;break-inside:avoid}"
    "article.critical{border-left-color:var(--bad)}article.warning{border-left-color:var(--warn)}"
    "article table.facts th,article table.facts td{border:0;padding:.1rem .75rem .1rem 0}"
    "svg{display:block;width:100%;max-width:46rem;height:auto}"
    "code{font:13px/1.5 ui-monospace,monospace}"
    "footer{margin:2.5rem 0 1rem;opacity:.75;font-size:.9rem}"
    "@media screen and (max-width:1000px){table:not(.facts){font-size:12px}:not(.facts)>*>tr>*{padding:.2rem}"
    "thead th{font-size:10px;overflow-wrap:normal}th.n{white-space:normal}" TWTRACE_LIST_OF("table.wide") "}"
    "@media(max-width:640px){body{margin:1rem auto;padding:0 .6rem;font-size:14px}th,td{padding:.2rem}"
    "table:not(.facts){font-size:10px}table.facts,table.wide,table.list{font-size:13px}thead th{font-size:8px}"
    "code{font-size:12px}}"
    "@media print{:root{color-scheme:light}@page{margin:9mm}body{margin:0;padding:0;max-width:none;font-size:9px;"
    "line-height:1.2}h1{font-size:14px}h2{font-size:11px;margin:.5rem 0 .1rem;break-after:avoid}h3{font-size:9px}"
    "p,p.headline{font-size:10px;margin:.2rem 0}th,td{padding:0 "
    ".4rem}table{break-inside:avoid;line-height:1.15}code{font-size:8px}"
    "article{padding:.3rem .6rem;margin:.3rem 0}svg{max-width:18rem}footer{margin:.3rem 0;font-size:8px}}";

const char* const kHtmlStyleHash = "46ZsI1WE81MTnS3hp7348SnVALRnAxmni8hRK4vrUpg=";

namespace {

/// Names of at most so many columns are not broken.
constexpr std::size_t kNotBroken = 10;

/// The pixels that a grid needs at least if a letter takes `letter` of them, and the sides of a cell `sides`. A name
/// may be broken, but not into more than some lines.
double pixels(const Grid& grid, double letter, double sides) {
  constexpr std::size_t kMostLines = 8;
  std::size_t letters = 0;
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const bool left = grid.columns[i].align == base::Align::kLeft;
    std::size_t most = base::display_width(grid.columns[i].title);
    for (const auto& row : grid.rows) {
      const std::size_t width = base::display_width(row[i]);
      most = std::max(most, left ? std::max(std::min(width, kNotBroken), width / kMostLines) : width);
    }
    letters += most;
  }
  return static_cast<double>(letters) * letter + static_cast<double>(grid.columns.size()) * sides;
}

/// The class of the table. Where the page is too narrow for it, the style shows it as a list.
const char* table_shape(const Grid& grid) {
  if (pixels(grid, 9.6, 24) > 950) return " class=\"list\"";     // on any page
  return pixels(grid, 6.4, 6.4) > 480 ? " class=\"wide\"" : "";  // on a page of at most 1000 pixels
}

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += fmt::format(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{}'; base-uri "
      "'none'; form-action 'none'\">\n",
      kHtmlStyleHash);
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n";
  out += "<title>" + base::html_text(title) + "</title>\n<style>" + kHtmlStyle + "</style>\n</head>\n<body>\n";
  return out + body + "<footer>Made by twtrace, which changes nothing by itself.</footer>\n</body>\n</html>\n";
}

std::string html_heading(int level, const std::string& text) {
  return fmt::format("<h{}>{}</h{}>\n", level, base::html_text(text), level);
}

std::string html_headline(const std::string& text) {
  return "<p class=\"headline\">" + base::html_text(text) + "</p>\n";
}

std::string html_verdict(const Condition& condition, const std::string& headline) {
  const bool bad = condition.breached || condition.trouble;
  return fmt::format("<p class=\"headline verdict {0}\"><b class=\"{0}\">{1}</b> {2}</p>\n",
                     bad                    ? "bad"
                     : condition.incomplete ? "warn"
                                            : "good",
                     condition.breached     ? "FAIL"
                     : condition.trouble    ? "TROUBLE"
                     : condition.incomplete ? "INCOMPLETE"
                                            : "OK",
                     base::html_text(headline));
}

std::string html_grid(const Grid& grid) {
  constexpr std::size_t kLongestNumber = 26;
  const char* const shape = table_shape(grid);
  const auto cell = [&](const char* tag, std::size_t column, const std::string& text, const std::string& attributes) {
    const bool left = grid.columns[column].align == base::Align::kLeft;
    // Long names may break anywhere.
    const bool whole = base::display_width(text) <= (left ? kNotBroken : kLongestNumber);
    return fmt::format("<{} align=\"{}\"{}{}>{}</{}>", tag, left ? "left" : "right", whole ? " class=\"n\"" : "",
                       attributes, base::html_text(text), tag);
  };
  std::string out = fmt::format("<table cellpadding=\"4\"{}>\n<thead><tr>", shape);
  std::vector<std::string> titles;  // of a list, as an attribute of each cell
  for (std::size_t i = 0; i < grid.columns.size(); ++i) {
    const std::string& title = grid.columns[i].title;
    out += cell("th", i, title, "");
    titles.push_back(*shape == 0 ? "" : " data-t=\"" + base::html_text(title) + "\"");
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : grid.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) out += cell("td", i, row[i], titles[i]);
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

std::string html_facts(const std::vector<Property>& facts) {
  std::string out = "<table class=\"facts\">\n";
  for (const Property& fact : facts) {
    out += "<tr><th align=\"left\">" + base::html_text(fact.name) + "</th><td>" + base::html_text(fact.value) +
           "</td></tr>\n";
  }
  return out + "</table>\n";
}

std::string html_verdicts(const std::vector<VerdictLine>& verdicts) {
  if (verdicts.empty()) return {};
  std::string out = "<table class=\"facts\">\n";
  for (const VerdictLine& verdict : verdicts) {
    out += fmt::format("<tr><td><b class=\"{}\">{}</b></td><td><code>{}</code></td><td>{}</td></tr>\n",
                       verdict.fails ? "bad" : "good", verdict.fails ? "FAIL" : "ok", base::html_text(verdict.budget),
                       base::html_text(verdict.words));
  }
  return out + "</table>\n";
}

std::string html_warnings(const std::vector<std::string>& warnings) {
  std::string out;
  for (const std::string& warning : warnings) {
    out += "<p><b class=\"warn\">!</b> " + base::html_text(warning) + "</p>\n";
  }
  return out;
}

}  // namespace twtrace::output
