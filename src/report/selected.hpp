// SPDX-License-Identifier: Apache-2.0
// What a budget asks for. Private to this folder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/source.hpp"
#include "report/report.hpp"

namespace twtrace::report {

/// Of each item of a list, whether it is chosen.
using Flags = std::vector<bool>;

/// A budget, and what of a report it asks for. Refers to both.
struct Asked {
  const Budget& budget;
  const Report& report;
  Flags owners;                 ///< as Report::owners
  Flags perhaps;                ///< the others that it may be about, because they do not say all that it asks for
  Flags namespaces;             ///< as Report::namespaces, whatever else the budget asks for
  bool by_owner = false;        ///< it asks for something other than the namespace
  bool names_somebody = false;  ///< something of its services and names was there: in a row, or among what ran
};

/// The owners and namespaces of a report, for any number of budgets. Compares each name once with a term, however many
/// owners have the name, and however many budgets have the term. Refers to the report. Not thread-safe.
class Population {
 public:
  explicit Population(const Report& report);

  /// Empty if all budgets together would compare more than kMostCompared bytes: that would take too long.
  std::optional<Asked> asked_for(const Budget& budget);
  /// All namespaces that were there, one after another, too.
  const std::vector<model::NetnsName>& namespaces() const { return netns_names_; }

  /// No capture of a real host comes near it.
  static constexpr std::size_t kMostCompared = std::size_t{1} << 30U;

 private:
  /// The different values that owners have for one key of terms, and which of them each owner has.
  struct Values {
    std::vector<view::Subject> different;
    std::vector<std::uint32_t> of_owner;
    std::size_t bytes = 0;  ///< to compare all of them with one pattern
  };
  /// Of a term, without its place in the text.
  using TermKey = std::tuple<view::Key, view::Op, std::string, double, std::optional<std::uint32_t>>;

  void add_services();
  void add_comms();
  void add_roles_and_ports();
  void add_namespaces();
  const Values& values_of(view::Key key) const;
  const Flags* results(const view::Term& term);
  void find_vague();
  void find_perhaps(Asked& asked, const std::map<view::Key, Flags>& all_terms) const;
  bool is_unknown(std::size_t owner, view::Key key, const Flags& has_the_name) const;

  const Report& report_;
  Values services_;  ///< of owners, and behind them of the processes that ran
  Values comms_;     ///< the same
  Values roles_;
  Values ports_;
  Values netns_;                    ///< of owners, and behind them of namespaces
  std::vector<std::size_t> vague_;  ///< the owners that do not say all that terms can ask for
  std::vector<model::NetnsName> netns_names_;
  std::map<TermKey, Flags> results_;  ///< as Values::different
  std::size_t compared_ = 0;
};

}  // namespace twtrace::report
