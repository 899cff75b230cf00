// SPDX-License-Identifier: Apache-2.0
// The exporter as Prometheus and node_exporter see it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "base/unique_fd.hpp"
#include "cli/cli.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"
#include "support/notify_socket.hpp"
#include "support/workload.hpp"
#include "unit/kernel/temp_tree.hpp"

using namespace twtrace::test;
using twtrace::base::UniqueFd;
using twtrace::kernel::TempTree;

namespace {

/// A running exporter. Every workload gets its series at once.
struct Exporter {
  explicit Exporter(const Arguments& more = {}) : process(argv(more)) {
    INFO(process.standard_error());
    REQUIRE(process.wait_for_error("ready\n"));
    const std::string said = process.standard_error();
    const std::size_t begin = said.find("http://");
    if (begin != std::string::npos) url = said.substr(begin, said.find('\n') - begin);
  }

  static Arguments argv(const Arguments& more) {
    Arguments all = {twtrace_binary(), "export", "-d", "0.1", "--metrics.min-age", "0"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string get(const Arguments& options = {}) const {
    Arguments all = {"curl", "-sS", "--max-time", "20", url};
    all.insert(all.end(), options.begin(), options.end());
    const Outcome outcome = run_program(all);
    INFO(describe(outcome));
    REQUIRE(outcome.code == 0);
    return outcome.out;
  }

  int end(int signal = SIGTERM) {
    process.signal(signal);
    return process.wait().value_or(-1);
  }

  Subprocess process;
  std::string url;
};

/// The value of a metric without labels.
std::uint64_t value(const std::string& text, const std::string& metric) {
  for (const std::string& line : lines(text)) {
    if (line.rfind(metric + " ", 0) == 0) return std::stoull(line.substr(metric.size() + 1));
  }
  FAIL(metric << " is not in " << text);
  return 0;
}

/// The sum of the samples of a metric whose labels contain `labels`.
std::uint64_t sum(const std::string& text, const std::string& metric, const std::string& labels) {
  std::uint64_t all = 0;
  for (const std::string& line : lines(text)) {
    if (line.rfind(metric + "{", 0) == 0 && line.find(labels) != std::string::npos) {
      all += std::stoull(line.substr(line.rfind(' ')));
    }
  }
  return all;
}

constexpr const char* kCreated = "twtrace_time_wait_created_total";
constexpr const char* kRefused = "twtrace_time_wait_refused_total";

/// `from`: the last byte of the client's address, 127.0.0.1 and up.
UniqueFd connect_to(const std::string& url, int from = 1) {
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + static_cast<std::uint32_t>(from));
  REQUIRE(::bind(client.get(), reinterpret_cast<sockaddr*>(&own), sizeof(own)) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return client;
}

/// What no honest client sends.
const std::vector<std::string> kBadRequests = {
    "GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
    "GET /" + std::string(40'000, 'x') + " HTTP/1.1\r\n\r\n",
    "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    std::string("\x16\x03\x01\0\0\r\n\r\n", 9),
    "",
};

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("export: series sum to the kernel's counters, beside a thousand clients that never finish a request") {
  constexpr int kAddresses = 200;
  constexpr std::uint64_t kMostConnections = 128;
  constexpr std::uint64_t kClosing = 8;  // libmicrohttpd closes those that are given up a moment later
  if (!privileged()) return;
  Exporter exporter({"--web.listen-address", "127.0.0.1:0", "--web.listen-address", "[::1]:0"});
  CHECK(exporter.process.standard_error().find("listening on http://[::1]:") != std::string::npos);
  const std::uint64_t calm = value(exporter.get(), "process_open_fds");
  std::vector<UniqueFd> slow;
  for (int i = 0; i < 1000; ++i) {
    slow.push_back(connect_to(exporter.url, 2 + i % kAddresses));
    ::send(slow.back().get(), "GET /metrics HT", 15, MSG_NOSIGNAL);
  }
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "10"}});
  arena.run({"half-close", 23, 5017});
  arena.read_after();
  const auto port = [](const std::string& text, const char* metric) { return sum(text, metric, ",port=\"5017\""); };
  std::string text;
  CHECK(wait_until([&] {
    text = exporter.get();
    return port(text, kRefused) == 13;
  }));
  INFO(text);
  CHECK(port(text, kCreated) == static_cast<std::uint64_t>(arena.delta().created()));
  CHECK(port(text, kRefused) == static_cast<std::uint64_t>(arena.delta().overflow));
  for (const std::string& netns : {std::string("host"), std::string("other")}) {
    const std::string label = "netns=\"" + netns + "\"";
    CHECK(sum(text, kRefused, label) == sum(text, "twtrace_netstat_tcp_time_wait_overflow_total", label));
  }
  // Ports are not counted in every sample, because that may take no more than its share of a CPU.
  CHECK(wait_until([&] { return exporter.get().find("twtrace_ephemeral_ports_taken_ratio") != std::string::npos; }));
  // Samples go on, and every scrape is answered, whatever else comes.
  const std::uint64_t samples = value(text, "twtrace_samples_total");
  CHECK(wait_until([&] {
    for (const std::string& request : kBadRequests) {
      const UniqueFd bad = connect_to(exporter.url);
      ::send(bad.get(), request.data(), request.size(), MSG_NOSIGNAL);
    }
    text = exporter.get();
    CHECK(value(text, "process_open_fds") <= calm + kMostConnections + kClosing);
    return value(text, "twtrace_samples_total") >= samples + 10;
  }));
  CHECK(exporter.end() == 0);
}

TEST_CASE("export: formats, pages and methods") {
  if (!privileged()) return;
  Exporter exporter({"--web.listen-address", "127.0.0.1:0", "--web.telemetry-path", "/m"});
  CHECK(exporter.url.substr(exporter.url.rfind('/')) == "/m");
  const std::string plain = exporter.get({"-i"});
  CHECK(plain.find("HTTP/1.1 200 OK") == 0);
  CHECK(plain.find("Content-Type: text/plain; version=0.0.4; charset=utf-8") != std::string::npos);
  CHECK(plain.find("# EOF") == std::string::npos);
  CHECK(plain.find("\nprocess_resident_memory_bytes ") != std::string::npos);
  const std::string open = exporter.get({"-i", "-H", "Accept: application/openmetrics-text;version=1.0.0"});
  CHECK(open.find("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8") != std::string::npos);
  CHECK(lines(open).back() == "# EOF");
  CHECK(exporter.get({"-I"}).find("HTTP/1.1 200 OK") == 0);
  CHECK(exporter.get({"-i", "-X", "DELETE"}).find("HTTP/1.1 405 ") == 0);
  CHECK(exporter.get({"-i", "-H", "X: " + std::string(20'000, 'x')}).find("HTTP/1.1 431 ") == 0);
  exporter.url.resize(exporter.url.size() - 1);
  CHECK(exporter.get().find("href=\"/m\"") != std::string::npos);
  exporter.url += "-/ready";
  CHECK(exporter.get() == "twtrace is ready.\n");
  CHECK(exporter.end(SIGINT) == 0);
}

TEST_CASE("export: a socket of systemd's") {
  if (!privileged()) return;
  const std::string script =
      "import os, socket, sys\n"
      "s = socket.create_server(('127.0.0.1', 0))\n"
      "os.dup2(s.fileno(), 3)\n"
      "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
      "os.execv(sys.argv[1], sys.argv[1:])\n";
  Subprocess process({"python3", "-c", script, twtrace_binary(), "export", "--web.systemd-socket"});
  REQUIRE(process.wait_for_error("ready\n"));
  const std::string said = process.standard_error();
  const std::size_t begin = said.find("http://127.0.0.1:");
  REQUIRE(begin != std::string::npos);
  const Outcome outcome = run_program({"curl", "-sS", said.substr(begin, said.find('\n') - begin)});
  CHECK(outcome.out.find("twtrace_build_info{") != std::string::npos);
  process.signal(SIGTERM);
  CHECK(process.wait() == 0);
}

TEST_CASE("export: a file for node_exporter") {
  if (!privileged()) return;
  const TempTree tree;
  const std::string path = tree / "twtrace.prom";
  Exporter exporter({"--textfile", path});
  CHECK(read_file(path).find("twtrace_build_info{") != std::string::npos);
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "10"}});
  arena.run({"half-close", 23, 5017});
  CHECK(wait_until([&] { return sum(read_file(path), kRefused, ",port=\"5017\"") == 13; }));
  CHECK(exporter.end() == 0);
  const std::string text = read_file(path);
  CHECK(sum(text, kCreated, ",port=\"5017\"") == 10);
  CHECK(text.find("\nprocess_") == std::string::npos);  // node_exporter has its own
}

TEST_CASE("export: systemd hears that it is ready, which table is full, and why it ended") {
  if (!privileged()) return;
  const TempTree tree;
  const NotifySocket systemd(tree / "notify");
  ::setenv("NOTIFY_SOCKET", (tree / "notify").c_str(), 1);
  const std::string path = tree / "twtrace.prom";
  Exporter exporter({"--textfile", path});
  Subprocess twice(Exporter::argv({"--textfile", "/nonexistent/x.prom"}));
  ::unsetenv("NOTIFY_SOCKET");
  CHECK(twice.wait() == 1);
  std::vector<std::string> told;
  const auto is_told = [&](const std::string& text) {
    return wait_until([&] {
      for (std::string next = systemd.next(); !next.empty(); next = systemd.next()) told.push_back(next);
      return std::any_of(told.begin(), told.end(), [&](const auto& one) { return one.find(text) != one.npos; });
    });
  };
  CHECK(is_told("STOPPING=1\nSTATUS=--textfile: cannot make /nonexistent/x.prom.new: No such file or directory\n"));
  CHECK(is_told("READY=1\n"));
  Arena arena(Sysctls{{"tcp_max_tw_buckets", "10"}});
  arena.run({"half-close", 23, 5017});
  CHECK(is_told("STATUS=" + path + ": FULL netns "));
  CHECK(exporter.end() == 0);
  CHECK(is_told("STOPPING=1\nSTATUS=stopped\n"));
}

TEST_CASE("export: what it refuses before it starts") {
  const auto refused = [](const Arguments& options, int code, const std::string& what) {
    Arguments all = {"export"};
    all.insert(all.end(), options.begin(), options.end());
    check_refused(run_twtrace(all), code, what);
  };
  refused({"--web.listen-address", "nowhere"}, 2, "\"nowhere\" is not an address to listen on");
  refused({"--web.telemetry-path", "metrics"}, 2, "\"metrics\" is not a path for metrics");
  refused({"--web.telemetry-path", "/-/ready"}, 2, "\"/-/ready\" is not a path for metrics");
  refused({"--metrics.netns", "some"}, 2, "\"some\"");
  refused({"--metrics.max-series", "-1"}, 2, "-1");
  refused({"--web.systemd-socket"}, 2, "systemd passed no socket");
  refused({"--web.systemd-socket", "--web.listen-address", ":0"}, 2, "cannot be combined");
  refused({"--textfile", "x.prom", "--web.listen-address", ":0"}, 2, "cannot be combined");
  refused({"--textfile", "/dev/null"}, 2, "cannot be replaced by a file");
  refused({"--textfile", "/nonexistent/x.prom"}, 1, "/nonexistent/x.prom.new");
  const UniqueFd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(taken.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(taken.get(), 1) == 0);
  REQUIRE(::getsockname(taken.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string name = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  refused({"--web.listen-address", name}, 1, "cannot listen on " + name);
}
