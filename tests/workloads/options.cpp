// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <getopt.h>

#include <cstdio>
#include <cstdlib>

#include "modes.hpp"

namespace twtrace::workload {
namespace {

[[noreturn]] void usage() {
  std::fputs(
      "usage: tw_workload MODE [--count N] [--port P] [--family 4|6|mapped] [--cgroup-server DIR] [--cgroup-client "
      "DIR]\n"
      "                        [--cgroup-child DIR] [--uid-server UID] [--uid-client UID] [--cpu CPU]\n"
      "modes: innocent",
      stderr);
  for (const Mode& mode : all_modes()) std::fprintf(stderr, " %s", mode.name);
  std::fputc('\n', stderr);
  std::exit(2);
}

int number(const char* text, int low, int high) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < low || value > high) usage();
  return static_cast<int>(value);
}

Family family(const std::string& text) {
  if (text == "4") return Family::kIpv4;
  if (text == "6") return Family::kIpv6;
  if (text == "mapped") return Family::kMapped;
  usage();
}

}  // namespace

Options parse_options(int argc, char** argv) {
  static const option kLong[] = {
      {"count", required_argument, nullptr, 'n'},         {"port", required_argument, nullptr, 'p'},
      {"family", required_argument, nullptr, 'f'},        {"cgroup-server", required_argument, nullptr, 's'},
      {"cgroup-client", required_argument, nullptr, 'c'}, {"cgroup-child", required_argument, nullptr, 'd'},
      {"uid-server", required_argument, nullptr, 'u'},    {"uid-client", required_argument, nullptr, 'v'},
      {"cpu", required_argument, nullptr, 'a'},           {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = getopt_long(argc, argv, "", kLong, nullptr)) != -1;) {
    switch (key) {
      case 'n':
        options.count = number(optarg, 1, 20000);
        break;
      case 'p':
        options.port = static_cast<std::uint16_t>(number(optarg, 1, 40000));
        break;
      case 'f':
        options.family = family(optarg);
        break;
      case 's':
        options.cgroup_server = optarg;
        break;
      case 'c':
        options.cgroup_client = optarg;
        break;
      case 'd':
        options.cgroup_child = optarg;
        break;
      case 'u':
        options.uid_server = number(optarg, 0, 1 << 30);
        break;
      case 'v':
        options.uid_client = number(optarg, 0, 1 << 30);
        break;
      case 'a':
        options.cpu = number(optarg, 0, 4095);
        break;
      default:
        usage();
    }
  }
  if (optind != argc - 1) usage();
  options.mode = argv[optind];
  if (options.mode != "innocent" && find_mode(options.mode) == nullptr) usage();
  return options;
}

}  // namespace twtrace::workload
