// SPDX-License-Identifier: Apache-2.0
// Loads the programs of every backend and the readers on the running kernel. Prints what the verifier spends on each.
// Compares that with a table, or writes it there. Needs root.
#include <getopt.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "bpf/measure_load.hpp"
#include "bpf/verifier_budget.hpp"
#include "loader/namespace_object.hpp"
#include "loader/table_object.hpp"
#include "loader/trace_programs.hpp"
#include "support/environment.hpp"

namespace twtrace::test {
namespace {

// The verifier sees compiled programs. With another compiler version it spends up to 40% more or less.
constexpr int kTableClang = 14;

// Stands above the numbers, and tells what to do with them.
constexpr const char* kComment =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# What the verifier spent: kernel, backend, program, instructions processed, total states. A program may grow by "
    "a\n"
    "# quarter. When it has a reason to grow by more, write the new numbers, per kernel that complains:\n"
    "#   build/release/tests/bpf/verifier_cost --update tests/bpf/verifier_budget.txt    (this kernel)\n"
    "#   tests/bpf/update_verifier_budget [KERNEL...]                  (the kernels of vmtests/matrix.json)\n"
    "# and give the reason in the commit.\n";

enum ExitCode { kFine = 0, kBreached = 1, kUsage = 2 };

struct Options {
  std::string check;   ///< table to compare with; empty: none
  std::string update;  ///< table to write to
  std::string kernel = kernel_id();
  bool allow_unknown = false;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: verifier_cost [--check TABLE [--allow-unknown] | --update TABLE] [--kernel ID]\n"
      "prints: program insns_processed peak_states total_states\n",
      stderr);
  std::exit(kUsage);
}

Options parse_options(int argc, char** argv) {
  static const option kLong[] = {{"check", required_argument, nullptr, 'c'},
                                 {"update", required_argument, nullptr, 'u'},
                                 {"kernel", required_argument, nullptr, 'k'},
                                 {"allow-unknown", no_argument, nullptr, 'a'},
                                 {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    switch (key) {
      case 'c':
        options.check = optarg;
        break;
      case 'u':
        options.update = optarg;
        break;
      case 'k':
        options.kernel = optarg;
        break;
      case 'a':
        options.allow_unknown = true;
        break;
      default:
        usage();
    }
  }
  if (optind != argc || (!options.check.empty() && !options.update.empty())) usage();
  return options;
}

std::vector<VerifierBudget> read_table(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return parse_budgets({std::istreambuf_iterator<char>(file), {}});
}

void write_table(const std::string& path, const std::vector<VerifierBudget>& table) {
  std::ofstream file(path);
  file << print_budgets(table, kComment) << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path);
}

base::Result<std::vector<VerifierCost>> cost_of_backend(loader::Backend backend, const loader::Features& features) {
  if (const auto reason = ruled_out(backend, features)) return base::fail(base::ErrorCode::kUnsupported, *reason);
  auto programs = loader::open_programs(backend, features, {});
  if (!programs) return tl::unexpected(programs.error());
  return measure_load((*programs)->obj, [&] { return loader::load_programs(**programs, backend); });
}

template <class Object>
base::Result<std::vector<VerifierCost>> cost_of_readers(const loader::Features& features) {
  auto object = Object::prepare(features, {});
  if (!object) return tl::unexpected(object.error());
  return measure_load((*object)->skeleton().obj, [&] { return (*object)->load(); });
}

// Measures the backends and the readers that load here. Names the others, with the reason.
std::vector<VerifierBudget> measure(const std::string& kernel) {
  const auto features = loader::probe_features("", {});
  if (!features) throw std::runtime_error(features.error().what);
  std::vector<VerifierBudget> measured;
  const auto note = [&](const char* name, const base::Result<std::vector<VerifierCost>>& costs) {
    if (!costs) {
      std::fprintf(stderr, "%s does not load here: %s\n", name, costs.error().what.c_str());
      return;
    }
    std::printf("# %s %s\n", kernel.c_str(), name);
    for (const VerifierCost& cost : *costs) {
      std::printf(
          "%-28s %7llu %5llu %5llu\n", cost.program.c_str(), static_cast<unsigned long long>(cost.insns_processed),
          static_cast<unsigned long long>(cost.peak_states), static_cast<unsigned long long>(cost.total_states));
      measured.push_back({kernel, name, cost.program, cost.insns_processed, cost.total_states});
    }
  };
  for (const loader::Backend backend : loader::kBackends) {
    note(to_string(backend), cost_of_backend(backend, *features));
  }
  note("readers", cost_of_readers<loader::NamespaceObject>(*features));
  note("readers", cost_of_readers<loader::TableObject>(*features));
  if (measured.empty()) throw std::runtime_error("no backend loads here");
  return measured;
}

std::string other_compiler() {
  return "the table is for programs that clang " + std::to_string(kTableClang) + " compiled; these are from clang " +
         std::to_string(TWTRACE_CLANG_MAJOR);
}

void update(const std::string& path, const std::vector<VerifierBudget>& measured) {
  if (TWTRACE_CLANG_MAJOR != kTableClang) throw std::runtime_error(other_compiler());
  write_table(path, updated(read_table(path), measured));
}

ExitCode check(const Options& options, const std::vector<VerifierBudget>& measured) {
  if (TWTRACE_CLANG_MAJOR != kTableClang) return mark_skipped(other_compiler()), kFine;
  const std::vector<VerifierBudget> table = read_table(options.check);
  const std::string remedy = "verifier_cost --update " + options.check;
  if (!knows_kernel(table, options.kernel)) {
    const std::string text = "kernel " + options.kernel + " is not in the table; add it with " + remedy;
    if (options.allow_unknown) return mark_skipped(text), kFine;
    std::fprintf(stderr, "%s\n", text.c_str());
    return kBreached;
  }
  const std::vector<std::string> found = breaches(table, measured);
  if (found.empty()) return kFine;
  std::fputs("The verifier's budget is breached:\n", stderr);
  for (const std::string& breach : found) std::fprintf(stderr, "  %s\n", breach.c_str());
  std::fprintf(stderr, "If that is meant: %s, and say why in the commit.\n", remedy.c_str());
  return kBreached;
}

ExitCode run(const Options& options) {
  if (!privileged()) return kFine;
  const std::vector<VerifierBudget> measured = measure(options.kernel);
  if (!options.update.empty()) update(options.update, measured);
  return options.check.empty() ? kFine : check(options, measured);
}

}  // namespace
}  // namespace twtrace::test

int main(int argc, char** argv) {
  using namespace twtrace::test;
  try {
    return run(parse_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "verifier_cost: %s\n", error.what());
    return kBreached;
  }
}
