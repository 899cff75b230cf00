// SPDX-License-Identifier: Apache-2.0

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/escape.hpp"
#include "output/doctor_json.hpp"
#include "output/doctor_text.hpp"
#include "support/catch.hpp"

using namespace twtrace;

namespace {

model::DoctorReport report() {
  model::DoctorReport report;
  report.host = {"web1", "6.12.0"};
  report.btf = "/sys/kernel/btf/vmlinux";
  report.backends = {{"fentry", false,
                      "the kernel refused the fentry programs: Operation not permitted, for a reason "
                      "that takes more than one line to tell"},
                     {"kprobe", false, ""},
                     {"tracepoint", true, ""}};
  report.backend = "tracepoint";
  report.features = {{"task-btf", true, ""}};
  report.capabilities = {{"CAP_BPF", true, ""}, {"CAP_SYS_ADMIN", false, "namespaces cannot be entered"}};
  report.lockdown = "none";
  report.cgroup_hierarchy = "v2";
  report.cgroup_mount = "/sys/fs/cgroup";
  report.bpf_stats_enabled = false;
  model::DoctorNetns netns;
  netns.netns = 4026531840;
  netns.name = "host";
  netns.host = true;
  netns.limit = 5000;
  netns.in_use = 4999;
  netns.overflow = 1204;
  netns.fin_timeout_s = 60;
  netns.tw_reuse = 2;
  report.namespaces = {netns};
  report.warnings = {{"limit-low", 4026531840, "host: the limit is 5,000", "sysctl -w a=1"}};
  return report;
}

std::string text(const model::DoctorReport& report) { return output::doctor_text(report, output::Color::kNever); }

bool has(const std::string& whole, const std::string& part) { return whole.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the doctor's report as text, golden") {
  CHECK(text(report()) ==
        "kernel                6.12.0\n"
        "kernel BTF            yes: /sys/kernel/btf/vmlinux\n"
        "backend in use        tracepoint\n"
        "lockdown              none\n"
        "cgroup hierarchy      v2 at /sys/fs/cgroup\n"
        "bpf_stats_enabled     off (set it to 1 to see what the BPF programs cost)\n"
        "\n"
        "Backends, best first\n"
        "  fentry              no   the kernel refused the fentry programs: Operation\n"
        "                           not permitted, for a reason that takes more than one\n"
        "                           line to tell\n"
        "  kprobe              no\n"
        "  tracepoint          yes\n"
        "\n"
        "Features\n"
        "  task-btf            yes\n"
        "\n"
        "Effective capabilities\n"
        "  CAP_BPF             yes\n"
        "  CAP_SYS_ADMIN       no   namespaces cannot be entered\n"
        "\n"
        "Network namespaces, worst first\n"
        "(OVERFLOW: refused since the namespace was created; FIN: tcp_fin_timeout in s)\n"
        "NETNS                  INODE       LIMIT    IN USE FULL   OVERFLOW FIN REUSE\n"
        "host              4026531840       5,000     4,999  99%      1,204  60     2\n"
        "\n"
        "Warnings (1)\n"
        "! host: the limit is 5,000\n"
        "  change: sysctl -w a=1\n"
        "twtrace changes nothing by itself.\n");
}

TEST_CASE("what is unknown is said to be so") {
  const std::string out = text({});
  CHECK(has(out, "kernel BTF            no\n"));
  CHECK(has(out, "backend in use        none: twtrace cannot run here\n"));
  CHECK(has(out, "lockdown              unknown\n"));
  CHECK(has(out, "cgroup hierarchy      none is mounted: services are named as the kernel records"));
  CHECK(has(out, "bpf_stats_enabled     unknown\n"));
  CHECK(has(out, "(none could be read)\n"));
  CHECK(has(out, "Nothing to complain about in what could be read.\n"));
  model::DoctorReport healthy = report();
  healthy.warnings.clear();
  CHECK(has(text(healthy), "Nothing to complain about in this host's settings.\n"));
  healthy.bpf_stats_enabled = true;
  CHECK(has(text(healthy), "bpf_stats_enabled     on\n"));
  model::DoctorReport blind;
  blind.namespaces.resize(1);
  CHECK(has(text(blind), "-                          0           -         -    -          -   -     -\n"));
}

TEST_CASE("names cannot talk to the terminal, nor widen the table") {
  model::DoctorReport hostile = report();
  hostile.namespaces[0].name = "\x1b[31m a name that is much too long for its column";
  hostile.warnings[0].text = "evil\x1b]0;x\n";
  hostile.warnings[0].change = "sysctl\x1b[2J";
  hostile.backends[0].detail = "\x1b[1m";
  const std::string out = text(hostile);
  CHECK_FALSE(has(out, "\x1b"));
  CHECK(has(out, "change: sysctl\\x1B[2J\n"));
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) CHECK(base::display_width(line) <= 79);
}

TEST_CASE("colour marks what is wrong, and only with colour on") {
  const std::string out = output::doctor_text(report(), output::Color::kAlways);
  CHECK(has(out, "\x1b[31mno\x1b[0m"));
  CHECK(has(out, "\x1b[31m!\x1b[0m host"));
}

TEST_CASE("the doctor's report as JSON") {
  model::DoctorReport input = report();
  input.namespaces[0].name = "\xff";
  const std::string line = output::doctor_json(input);
  CHECK_FALSE(has(line, "\n"));
  const auto json = nlohmann::json::parse(line);
  CHECK(json["schema"] == "twtrace.doctor/1");
  CHECK(json["works"] == true);
  CHECK(json["host"]["kernel"] == "6.12.0");
  CHECK(json["backend"] == "tracepoint");
  CHECK(json["backends"].size() == 3);
  CHECK(json["backends"][0]["ok"] == false);
  CHECK(json["backends"][2]["detail"].is_null());
  CHECK(json["cgroup"]["mount"] == "/sys/fs/cgroup");
  CHECK(json["bpf_stats_enabled"] == false);
  const auto& netns = json["namespaces"][0];
  CHECK(netns["name_hex"] == "ff");
  CHECK(netns["limit"] == 5000);
  CHECK(netns["percent"] == 99);
  CHECK(netns["overflow"] == 1204);
  CHECK(netns["pid"].is_null());
  CHECK(netns["default_limit"].is_null());
  CHECK(json["warnings"][0]["id"] == "limit-low");
  CHECK(json["warnings"][0]["change"] == "sysctl -w a=1");
}

TEST_CASE("JSON of a host where nothing works: null, never 0 or an empty text") {
  const auto json = nlohmann::json::parse(output::doctor_json({}));
  CHECK(json["works"] == false);
  for (const char* key : {"btf", "backend", "lockdown", "bpf_stats_enabled"}) CHECK(json[key].is_null());
  CHECK(json["cgroup"]["hierarchy"].is_null());
  CHECK(json["namespaces"].is_array());
}
