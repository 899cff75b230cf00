// SPDX-License-Identifier: Apache-2.0
// The ways in which a reset is sent and received, and in which a listening socket drops connections. Each has exactly
// one row, or nobody's, and together they are the kernel's OutRsts and ListenDrops.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bpf/expect.hpp"
#include "support/catch.hpp"
#include "support/cgroup_sandbox.hpp"
#include "support/environment.hpp"
#include "support/inside_netns.hpp"
#include "support/subprocess.hpp"
#include "support/tcp_pairs.hpp"
#include "support/twtrace_run.hpp"

using namespace twtrace;
using namespace twtrace::test;
using nlohmann::json;

namespace {

constexpr std::uint16_t kPort = 5007;
constexpr int kUid = 61023;

/// Another process. It does its work, and then keeps what it has until the object goes.
class Other {
 public:
  /// `work` gets one end of a channel.
  explicit Other(const std::function<void(int channel)>& work) {
    int ends[2] = {};
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      close(ends[0]);
      run(work, ends[1]);
    }
    close(ends[1]);
    channel_.reset(ends[0]);
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() { end(); }

  pid_t pid() const { return pid_; }
  int channel() const { return channel_.get(); }
  /// Until its work is done.
  void wait() const {
    char done = 0;
    REQUIRE(read(channel(), &done, 1) == 1);
  }
  void end() {
    if (pid_ < 0) return;
    kill(pid_, SIGKILL);  // a later child has our end of its channel, too
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  [[noreturn]] static void run(const std::function<void(int)>& work, int channel) {
    try {
      prctl(PR_SET_NAME, "other");
      work(channel);
    } catch (const std::exception&) {
      _exit(1);
    }
    char end = 0;
    if (write(channel, "d", 1) == 1 && read(channel, &end, 1) < 0) _exit(1);
    _exit(0);
  }

  base::UniqueFd channel_;
  pid_t pid_ = -1;
};

/// The calling process joins a service and becomes another user.
void become_other(const CgroupSandbox& service) {
  const base::UniqueFd processes(open((service.directory() + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (write(processes.get(), "0", 1) != 1 || setresuid(kUid, kUid, kUid) != 0) _exit(1);
}

struct Passing {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{nullptr, 0, &data, 1, control, sizeof(control), 0};
};

void pass(int channel, int fd) {
  Passing passing;
  cmsghdr* const header = CMSG_FIRSTHDR(&passing.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(fd));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  if (sendmsg(channel, &passing.message, 0) != 1) _exit(1);
}

base::UniqueFd take(int channel) {
  Passing passing;
  int fd = -1;
  if (recvmsg(channel, &passing.message, MSG_CMSG_CLOEXEC) != 1) return {};
  if (const cmsghdr* header = CMSG_FIRSTHDR(&passing.message)) std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return base::UniqueFd(fd);
}

void set_tcp(int socket, int option, int value) {
  REQUIRE(setsockopt(socket, IPPROTO_TCP, option, &value, sizeof(value)) == 0);
}

/// A listening socket of kPort on every address, IPv4 and IPv6.
base::UniqueFd listen_anywhere(int backlog) {
  base::UniqueFd listener(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(kPort);
  REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0);
  REQUIRE(listen(listener.get(), backlog) == 0);
  return listener;
}

/// What rows say, as "ROLE OWNER FIELD", and how often. An owner is "we", the name of another process, "uid N" where
/// only the socket is known, or "nobody".
using Facts = std::map<std::string, std::int64_t>;

/// What the kernel counts as ListenDrops, or OutRsts. It may be more than the attempts of a scene, because segments of
/// a handshake are repeated.
constexpr std::int64_t kAllDrops = -1;
constexpr std::int64_t kAllResets = -2;

std::string to_words(const Facts& facts) {
  std::string words;
  for (const auto& [fact, count] : facts) words += fact + ": " + std::to_string(count) + "; ";
  return words;
}

/// Of a row, or of an event that has an owner.
std::string owner_of(const json& row) {
  if (row.contains("kind") && row.at("kind") == "unattributed") return "nobody";
  const json& process = row.at("process");
  if (row.at("attribution") == "cgroup") return "uid " + std::to_string(number(process, "uid"));
  return process.at("pid") == getpid() ? "we" : process.at("comm").get<std::string>();
}

Facts facts_of(const json& snapshot, const NetnsSandbox& netns) {
  Facts facts;
  for (const json& row : all_rows_of(snapshot, netns)) {
    for (const char* field : {"peer_resets", "peer_resets_avoidable", "resets_late", "resets_aborted",
                              "resets_closed_port", "resets_other", "resets_received", "resets_felt", "queue_drops"}) {
      if (number(row, field) == 0) continue;
      const std::string owner = owner_of(row);
      const std::string role = owner == "nobody" ? "" : row.at("role").get<std::string>() + " ";
      if (owner != "nobody") CHECK(row.at("port") == kPort);
      facts[role + owner + " " + field] += number(row, field);
    }
  }
  return facts;
}

/// `twtrace events`, from its start on.
class EventsRun {
 public:
  EventsRun() : process_({twtrace_binary(), "events", "--json", "--probe", environment("TWTRACE_PROBE", "auto")}) {
    REQUIRE(process_.wait_for_error("ready\n"));
  }

  /// What the events of a namespace say so far, in the words of rows.
  Facts facts_of(const NetnsSandbox& netns) const {
    Facts facts;
    const std::string text = process_.standard_output();
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    for (std::string line; std::getline(lines, line);) {
      const json event = json::parse(line);
      if (event.at("netns") != netns.inode()) continue;
      for (const std::string& field : fields_of(event)) facts[subject_of(event) + field] += number(event, "count");
    }
    return facts;
  }

 private:
  /// The fields of a row in which this event counts.
  static std::vector<std::string> fields_of(const json& event) {
    const std::string kind = event.at("event");
    if (kind == "queue_drop") return {"queue_drops"};
    if (kind == "reset_received") return {"resets_received"};
    if (kind == "reset_felt") return {"resets_received", "resets_felt"};
    if (kind != "reset_sent") return {};
    const std::string reason = event.at("reason");
    if (reason == "avoidable") return {"peer_resets", "peer_resets_avoidable"};
    return {reason == "refused" ? "peer_resets" : "resets_" + reason};
  }

  static std::string subject_of(const json& event) {
    if (event.at("attribution") == "none") return "nobody ";
    return event.at("role").get<std::string>() + " " + owner_of(event) + " ";
  }

  Subprocess process_;
};

/// The kernel's count.
std::int64_t resets_sent(const NetnsSandbox& netns) {
  return static_cast<std::int64_t>(netns_facts(netns.fd()).counters.at("Tcp.OutRsts"));
}

/// The facts are those of the rows, and together they are what the kernel counted. `unseen`: those that not every
/// kernel shows to the tracepoint backend.
void check_facts(const json& snapshot, const NetnsSandbox& netns, Facts facts, const std::set<std::string>& unseen) {
  const json entry = namespace_entry(snapshot, netns);
  std::int64_t missed = 0;
  if (misses_resets(snapshot)) {
    for (const std::string& fact : unseen) missed += facts.extract(fact).mapped();
  }
  CHECK(to_words(facts_of(snapshot, netns)) == to_words(facts));
  const std::int64_t sent = resets_sent(netns);
  CHECK(number(entry.at("kernel"), "out_resets") == sent);
  CHECK(number(entry.at("missed"), "resets_sent") == missed);
  CHECK(number(entry, "resets_sent") + missed == sent);
  check_sum_of_drops(snapshot, netns);
}

/// The events tell the same as the rows.
void check_events(TwtraceRun& twtrace, const EventsRun& events, const NetnsSandbox& netns) {
  const json snapshot = twtrace.wait_for(
      [&](const json& now) { return events.facts_of(netns) == facts_of(now, netns); }, milliseconds{20'000});
  CHECK(to_words(events.facts_of(netns)) == to_words(facts_of(snapshot, netns)));
}

/// Something that happens to the connections of kPort in a namespace of its own.
struct Scene {
  const char* name;
  Sysctls sysctls;
  /// `others`: of these, those that stay until the snapshot.
  void (*play)(base::UniqueFd& listener, std::list<Other>& others);
  Facts facts;
  std::set<std::string> unseen = {};
};

std::int64_t received_in(const Facts& facts) {
  std::int64_t sum = 0;
  for (const auto& [fact, count] : facts) sum += fact.ends_with(" resets_received") ? count : 0;
  return sum;
}

/// Plays all of them, and compares each with one snapshot, and with `events` if there are any. Who has a socket that
/// was reset may be known later, because twtrace looks for that with at most 1% of a core.
void check_scenes(const std::vector<Scene>& scenes, const EventsRun* events) {
  TwtraceRun& twtrace = shared_twtrace();
  std::list<NetnsSandbox> places;
  std::list<Other> others;
  for (const Scene& scene : scenes) {
    INFO(scene.name);
    const NetnsSandbox& place = places.emplace_back(scene.sysctls);
    inside_netns(place.fd(), [&] {
      base::UniqueFd listener = listen_on(kPort);
      scene.play(listener, others);
    });
  }
  twtrace.fresh();
  const json snapshot = twtrace.wait_for(
      [&](const json& now) {
        return std::equal(scenes.begin(), scenes.end(), places.begin(),
                          [&](const Scene& scene, const NetnsSandbox& at) {
                            return sum_of_all(now, at, "resets_received") == received_in(scene.facts);
                          });
      },
      milliseconds{20'000});
  auto place = places.begin();
  for (const Scene& scene : scenes) {
    INFO(scene.name);
    Facts facts = scene.facts;
    for (auto& [name, count] : facts) {
      if (count == kAllDrops) count = listen_drops(place->fd());
      if (count == kAllResets) count = resets_sent(*place);
    }
    check_facts(snapshot, *place++, std::move(facts), scene.unseen);
  }
  if (events == nullptr) return;
  place = places.begin();
  for (const Scene& scene : scenes) {
    INFO(scene.name);
    check_events(twtrace, *events, *place++);
  }
}

void abort_server(TcpPair& pair) {
  reset_on_close(pair.server.get());
  pair.server.reset();
  wait_for_reset(pair.client.get());
}

void close_with_unread_data(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (int i = 0; i < 5; ++i) {
    TcpPair pair = make_pair(listener.get(), kPort);
    REQUIRE(send(pair.client.get(), "x", 1, 0) == 1);
    pollfd data{pair.server.get(), POLLIN, 0};
    REQUIRE(poll(&data, 1, 60000) == 1);
    pair.server.reset();
    wait_for_reset(pair.client.get());
  }
}

void close_in_fin_wait2(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (int i = 0; i < 3; ++i) {
    TcpPair pair = make_pair(listener.get(), kPort);
    set_tcp(pair.client.get(), TCP_LINGER2, -1);
    const base::UniqueFd server = close_one_end(std::move(pair));
    wait_for_reset(server.get());
  }
}

void disconnect(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (int i = 0; i < 7; ++i) {
    const TcpPair pair = make_pair(listener.get(), kPort);
    const sockaddr nothing{AF_UNSPEC, {}};
    REQUIRE(connect(pair.client.get(), &nothing, sizeof(nothing)) == 0);
    wait_for_reset(pair.server.get());
  }
}

void abort_after_fin(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (int i = 0; i < 11; ++i) {
    TcpPair pair = make_pair(listener.get(), kPort);
    REQUIRE(shutdown(pair.client.get(), SHUT_WR) == 0);
    char byte = 0;
    REQUIRE(recv(pair.server.get(), &byte, 1, 0) == 0);
    abort_server(pair);
  }
}

void send_to_orphan(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (int i = 0; i < 13; ++i) {
    TcpPair pair = make_pair(listener.get(), kPort);
    std::swap(pair.client, pair.server);
    const base::UniqueFd client = close_one_end(std::move(pair));
    REQUIRE(send(client.get(), "late", 4, MSG_NOSIGNAL) == 4);
    wait_for_reset(client.get());
  }
}

/// The server's end goes without a word, as when a host or a load balancer loses its connections.
void lose_server(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  std::vector<TcpPair> pairs;
  for (int i = 0; i < 2; ++i) pairs.push_back(make_pair(listener.get(), kPort));
  for (TcpPair& pair : pairs) {
    set_tcp(pair.server.get(), TCP_REPAIR, 1);
    pair.server.reset();
  }
  REQUIRE(send(pairs[0].client.get(), "x", 1, MSG_NOSIGNAL) == 1);  // somebody listens
  wait_for_reset(pairs[0].client.get());
  listener.reset();
  REQUIRE(send(pairs[1].client.get(), "x", 1, MSG_NOSIGNAL) == 1);  // nobody does
  wait_for_reset(pairs[1].client.get());
}

void keepalive_gives_up(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  std::vector<TcpPair> pairs;
  for (int i = 0; i < 3; ++i) {
    const TcpPair& pair = pairs.emplace_back(make_pair(listener.get(), kPort));
    const int on = 1;
    deafen(pair.server.get());
    set_tcp(pair.client.get(), TCP_KEEPIDLE, 1);
    set_tcp(pair.client.get(), TCP_KEEPINTVL, 1);
    set_tcp(pair.client.get(), TCP_KEEPCNT, 1);
    REQUIRE(setsockopt(pair.client.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
  }
  for (const TcpPair& pair : pairs) wait_for_reset(pair.client.get());
  for (const TcpPair& pair : pairs) set_tcp(pair.server.get(), TCP_REPAIR, 1);  // they end without a word
}

void send_strange_segments(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  const std::uint16_t bucket = [&listener] {
    TcpPair pair = make_pair(listener.get(), kPort);
    const std::uint16_t port = local_port(pair.client.get());
    close_first(pair.client, pair.server);
    return port;
  }();
  for (int i = 0; i < 5; ++i) send_segment(9, kPort, TH_ACK);
  listener.reset();
  for (int i = 0; i < 3; ++i) send_segment(9, kPort, TH_ACK);
  send_segment(kPort, bucket, TH_ACK);  // the bucket answers, and nobody knows of a connection
}

void leave_to_child(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  std::vector<TcpPair> pairs;
  for (int i = 0; i < 5; ++i) pairs.push_back(make_pair(listener.get(), kPort));
  const Other child([&pairs](int) {
    for (TcpPair& pair : pairs) pair.server.reset();
  });
  child.wait();
  for (TcpPair& pair : pairs) pair.client.reset();
  for (TcpPair& pair : pairs) {
    reset_on_close(pair.server.get());
    pair.server.reset();
  }
}

void pass_to_us(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  const CgroupSandbox service("passing");
  std::vector<TcpPair> pairs(7);
  Other other([&](int channel) {
    become_other(service);
    for (std::size_t i = 0; i < pairs.size(); ++i) pass(channel, connect_to(kPort).get());
  });
  for (TcpPair& pair : pairs) {
    pair.client = take(other.channel());
    pair.server.reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE((pair.client && pair.server));
  }
  other.end();
  for (TcpPair& pair : pairs) abort_server(pair);
}

/// Another process that connects, and whose connections are then reset.
Other& let_feel(int listener, int connections, std::list<Other>& others, void (*then)(std::vector<base::UniqueFd>&)) {
  std::vector<base::UniqueFd> servers;
  Other& other = others.emplace_back([connections, then](int channel) {
    std::vector<base::UniqueFd> clients;
    for (int i = 0; i < connections; ++i) clients.push_back(connect_to(kPort));
    char accepted = 0;
    if (write(channel, "c", 1) != 1 || read(channel, &accepted, 1) != 1) _exit(1);
    for (const base::UniqueFd& client : clients) wait_for_reset(client.get());
    then(clients);
    for (base::UniqueFd& client : clients) client.release();
  });
  other.wait();
  for (int i = 0; i < connections; ++i) {
    servers.emplace_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    reset_on_close(servers.back().get());
  }
  servers.clear();
  REQUIRE(write(other.channel(), "a", 1) == 1);
  other.wait();
  return other;
}

void feel_and_close(base::UniqueFd& listener, std::list<Other>& others) {
  let_feel(listener.get(), 5, others, [](auto& clients) { clients.clear(); });
}

void feel_and_keep(base::UniqueFd& listener, std::list<Other>& others) {
  let_feel(listener.get(), 7, others, [](auto& /*clients*/) {});
}

void feel_and_be_killed(base::UniqueFd& listener, std::list<Other>& others) {
  let_feel(listener.get(), 3, others, [](auto& /*clients*/) {}).end();
}

/// How many connections wait to be accepted.
std::uint32_t waiting(int listener) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  REQUIRE(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  return info.tcpi_unacked;  // of a listening socket (tcp_get_info)
}

/// Connections that are reset in the accept queue. The kernel may handle the end of the handshake after connect() has
/// returned.
void reset_in_queue(int listener, std::uint32_t connections) {
  std::vector<base::UniqueFd> clients;
  for (std::uint32_t i = 0; i < connections; ++i) clients.push_back(connect_to(kPort));
  REQUIRE(wait_until([&] { return waiting(listener) == connections; }));
  for (const base::UniqueFd& client : clients) reset_on_close(client.get());
}

void accept_what_was_reset(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  reset_in_queue(listener.get(), 11);
  for (int i = 0; i < 11; ++i) {
    const base::UniqueFd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(server);
  }
}

void leave_in_queue(base::UniqueFd& listener, std::list<Other>& /*others*/) { reset_in_queue(listener.get(), 13); }

/// Accepts the connections that wait. They end without a reset.
void drain(int listener, std::vector<base::UniqueFd>& clients) {
  std::vector<base::UniqueFd> servers;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    servers.emplace_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  }
  clients.clear();
}

/// Connects until the queue is full, and then tries to so many times. Returns what is in the queue.
std::vector<base::UniqueFd> overflow(std::size_t fit, std::size_t more, bool deaf = false) {
  std::vector<base::UniqueFd> clients;
  std::vector<base::UniqueFd> tries;
  for (std::size_t i = 0; i < fit; ++i) clients.push_back(connect_to(kPort));
  for (std::size_t i = 0; i < more; ++i) tries.push_back(begin_to_connect(kPort, deaf));
  return clients;
}

void listen_again(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  for (const auto& [backlog, more] : {std::pair(2, 5), {4, 7}}) {
    REQUIRE(listen(listener.get(), backlog) == 0);
    std::vector<base::UniqueFd> clients =
        overflow(static_cast<std::size_t>(backlog) + 1, static_cast<std::size_t>(more));
    drain(listener.get(), clients);
  }
}

void listen_on_every_address(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  listener.reset();
  listener = listen_anywhere(3);
  std::vector<base::UniqueFd> clients;
  for (const int family : {AF_INET6, AF_INET, kMapped}) clients.push_back(connect_to(kPort, family));
  for (base::UniqueFd& client : overflow(1, 11)) clients.push_back(std::move(client));
  drain(listener.get(), clients);
}

void fill_queue_of_requests(base::UniqueFd& /*listener*/, std::list<Other>& /*others*/) {
  overflow(0, 41, true);
  REQUIRE(wait_until([] { return listen_drops(own_netns().get()) > 0; }));
}

/// The first attempts are answered when others have filled the queue.
void find_queue_full_at_last(base::UniqueFd& listener, std::list<Other>& /*others*/) {
  REQUIRE(listen(listener.get(), 4) == 0);
  std::vector<base::UniqueFd> early;
  for (int i = 0; i < 3; ++i) early.push_back(begin_to_connect(kPort, true));
  std::vector<base::UniqueFd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect_to(kPort));
  for (const base::UniqueFd& client : early) hear_again(client.get());
  for (const base::UniqueFd& client : early) wait_for_reset(client.get());
  drain(listener.get(), clients);
}

void leave_listener_to_child(base::UniqueFd& listener, std::list<Other>& others) {
  REQUIRE(listen(listener.get(), 2) == 0);
  others.emplace_back([](int) {}).wait();
  listener.reset();
  overflow(3, 13);
}

void pass_listener_on(base::UniqueFd& listener, std::list<Other>& others) {
  REQUIRE(listen(listener.get(), 2) == 0);
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const base::UniqueFd ours(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  Other& other = others.emplace_back([&](int) {
    listener.reset();
    if (setresuid(kUid, kUid, kUid) != 0 || take(theirs.get()).release() < 0) _exit(1);
  });
  pass(ours.get(), listener.get());
  other.wait();
  listener.reset();
  overflow(3, 17);
}

}  // namespace

TEST_CASE("each way in which a reset comes about has its cause and its row") {
  if (!privileged()) return;
  const EventsRun events;
  const std::string received = "client we resets_received";
  const std::string felt = "client we resets_felt";
  const std::string of_server = "server uid 0 ";
  const std::string felt_by_server = "server we resets_felt";
  const std::string received_by_server = "server we resets_received";
  check_scenes(
      {
          {"closed with unread data",
           {},
           close_with_unread_data,
           {{"server we resets_aborted", 5}, {received, 5}, {felt, 5}}},
          {"TCP_LINGER2 says not to wait",
           {},
           close_in_fin_wait2,
           {{"client we resets_aborted", 3}, {received_by_server, 3}, {felt_by_server, 3}}},
          {"connect() to nothing",
           {},
           disconnect,
           {{"client we resets_aborted", 7}, {received_by_server, 7}, {felt_by_server, 7}}},
          {"who felt it has sent a FIN",
           {},
           abort_after_fin,
           {{"server we resets_aborted", 11}, {received, 11}, {felt, 11}}},
          {"late data at a socket that no process has",
           {{"tcp_fin_timeout", "120"}},
           send_to_orphan,
           // The kernel ends this socket as if a reset had come (tcp_reset), and answers when it is gone.
           {{of_server + "resets_late", 13}, {received_by_server, 13}, {received, 13}, {felt, 13}}},
          {"the other end is lost",
           {},
           lose_server,
           {{of_server + "resets_other", 1}, {"nobody resets_other", 1}, {received, 2}, {felt, 2}},
           {"nobody resets_other"}},
          {"keepalive gives up", {}, keepalive_gives_up, {{"client uid 0 resets_other", 3}}},
          {"segments of no connection",
           {{"tcp_rfc1337", "0"}},
           send_strange_segments,
           {{of_server + "resets_other", 5}, {"nobody resets_other", 3 + 1}},
           {"nobody resets_other"}},
          {"a child has inherited the socket",
           {},
           leave_to_child,
           {{"server we resets_aborted", 5}, {"client other resets_received", 5}, {"client other resets_felt", 5}}},
          {"another user has passed the socket on",
           {},
           pass_to_us,
           {{"server we resets_aborted", 7}, {received, 7}, {felt, 7}}},
      },
      &events);
}

TEST_CASE("a reset is felt by the process that closes the socket, or that still has it") {
  if (!privileged()) return;
  const EventsRun events;
  const std::string aborted = "server we resets_aborted";
  check_scenes(
      {
          {"it closes the socket at once",
           {},
           feel_and_close,
           {{aborted, 5}, {"client other resets_received", 5}, {"client other resets_felt", 5}}},
          {"it keeps the socket",
           {},
           feel_and_keep,
           {{aborted, 7}, {"client other resets_received", 7}, {"client other resets_felt", 7}}},
          {"it is killed",
           {},
           feel_and_be_killed,
           {{aborted, 3}, {"client other resets_received", 3}, {"client other resets_felt", 3}}},
          {"it accepts the connection afterwards",
           {},
           accept_what_was_reset,
           {{"client we resets_aborted", 11}, {"server we resets_received", 11}, {"server we resets_felt", 11}}},
          {"it never accepts the connection",
           {},
           leave_in_queue,
           {{"client we resets_aborted", 13}, {"server uid 0 resets_received", 13}, {"server uid 0 resets_felt", 13}}},
      },
      &events);
}

TEST_CASE("without a look at files, a reset is felt by the process that closes the socket before the sample") {
  if (!privileged()) return;
  TwtraceRun twtrace({"--no-feature", "task-files"});
  const NetnsSandbox netns;
  std::vector<TcpPair> kept;
  inside_netns(netns.fd(), [&kept] {
    const base::UniqueFd listener = listen_on(kPort);
    for (int i = 0; i < 5; ++i) abort_server(kept.emplace_back(make_pair(listener.get(), kPort)));
  });
  twtrace.wait_for([&](const json& snapshot) { return sum_of_all(snapshot, netns, "resets_felt") == 5; });
  kept.clear();
  check_facts(twtrace.fresh(), netns,
              {{"server we resets_aborted", 5}, {"client uid 0 resets_received", 5}, {"client uid 0 resets_felt", 5}},
              {});
}

TEST_CASE("what a listening socket drops is an event that says how many") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const EventsRun events;
  const NetnsSandbox netns;
  base::UniqueFd listener;
  inside_netns(netns.fd(), [&listener] {
    listener = listen_on(kPort, AF_INET, 2);
    overflow_queue(kPort, 2, 7);
  });
  check_sum_of_drops(twtrace.fresh(), netns);
  check_events(twtrace, events, netns);
  CHECK(events.facts_of(netns).at("server we queue_drops") == listen_drops(netns.fd()));
}

TEST_CASE("whoever has a listening socket when it drops connections has the drops, and a full queue its cause") {
  if (!privileged()) return;
  const std::string ours = "server we queue_drops";
  const std::string others = "server other queue_drops";
  check_scenes(
      {
          {"listen() gives a longer queue", {}, listen_again, {{ours, kAllDrops}}},
          {"IPv4 and IPv6 have one queue", {}, listen_on_every_address, {{ours, kAllDrops}}},
          {"too many requests",
           {{"tcp_syncookies", "0"}, {"tcp_max_syn_backlog", "8"}},
           fill_queue_of_requests,
           {{ours, kAllDrops}}},
          {"the queue is full when the handshake ends",
           {{"tcp_abort_on_overflow", "1"}},
           find_queue_full_at_last,
           {{ours, kAllDrops},
            {"server uid 0 resets_other", kAllResets},
            {"client we resets_received", 3},
            {"client we resets_felt", 3}}},
          {"a child has inherited the socket", {}, leave_listener_to_child, {{others, kAllDrops}}},
          {"the socket was passed to another user", {}, pass_listener_on, {{others, kAllDrops}}},
      },
      nullptr);
}

TEST_CASE("connections that ss -K ends were aborted by ss, and felt at the other end") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const NetnsSandbox netns;
  std::vector<TcpPair> pairs;
  inside_netns(netns.fd(), [&pairs] {
    const base::UniqueFd listener = listen_on(kPort);
    for (int i = 0; i < 5; ++i) pairs.push_back(make_pair(listener.get(), kPort));
  });
  Subprocess({"ss", "-K", "-tn", "dport", "=", ":" + std::to_string(kPort)}, netns.fd()).wait();
  if (resets_sent(netns) == 0) return mark_skipped("this kernel ends no connections");
  for (const TcpPair& pair : pairs) wait_for_reset(pair.server.get());
  pairs.clear();
  check_facts(twtrace.fresh(), netns,
              {{"client ss resets_aborted", 5}, {"server we resets_received", 5}, {"server we resets_felt", 5}}, {});
}

namespace {

/// Two namespaces with a network between them: 10.9.0.1 and fd00::1 here, .2 and ::2 there.
void link_up(const NetnsSandbox& here, const NetnsSandbox& there) {
  const auto ip = [](const NetnsSandbox& netns, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ip");
    REQUIRE(Subprocess(arguments, netns.fd()).wait() == 0);
  };
  const std::string path = "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(there.fd());
  ip(here, {"link", "add", "tw1", "type", "veth", "peer", "name", "tw2", "netns", path});
  for (const auto& [netns, number] : {std::pair(&here, "1"), {&there, "2"}}) {
    const std::string device = std::string("tw") + number;
    ip(*netns, {"addr", "add", std::string("10.9.0.") + number + "/24", "dev", device});
    ip(*netns, {"addr", "add", std::string("fd00::") + number + "/64", "dev", device, "nodad"});
    ip(*netns, {"link", "set", device, "up"});
  }
}

/// Connects from there to here. Throws std::runtime_error.
TcpPair make_pair_between(const NetnsSandbox& there, int listener, int family) {
  sockaddr_in v4{AF_INET, htons(kPort), {}, {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(kPort);
  inet_pton(AF_INET, "10.9.0.1", &v4.sin_addr);
  inet_pton(AF_INET6, "fd00::1", &v6.sin6_addr);
  TcpPair pair;
  inside_netns(there.fd(), [&] {
    pair.client.reset(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int failed = family == AF_INET
                           ? connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4))
                           : connect(pair.client.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    REQUIRE(failed == 0);
  });
  pair.server.reset(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  return pair;
}

}  // namespace

TEST_CASE("a reset that goes to another namespace is sent in the one and felt in the other") {
  if (!privileged()) return;
  TwtraceRun& twtrace = shared_twtrace();
  const EventsRun events;
  const NetnsSandbox here(Sysctls{{"tcp_max_tw_buckets", "0"}});
  const NetnsSandbox there;
  link_up(here, there);
  base::UniqueFd listener;
  inside_netns(here.fd(), [&listener] { listener = listen_anywhere(128); });
  for (const int family : {AF_INET, AF_INET6}) {
    for (int i = 0; i < 5 + 7 + 3; ++i) {
      TcpPair pair = make_pair_between(there, listener.get(), family);
      if (i < 5) {
        abort_server(pair);
        continue;
      }
      std::swap(pair.client, pair.server);
      const base::UniqueFd client = close_one_end(std::move(pair));  // the server is refused a bucket
      if (i < 5 + 7) continue;
      REQUIRE(send(client.get(), "late", 4, MSG_NOSIGNAL) == 4);
      wait_for_reset(client.get());
    }
  }
  twtrace.wait_for(
      [&](const json& snapshot) { return sum_of_all(snapshot, there, "resets_received") == 2 * (5 + 7 + 3); });
  const json snapshot = twtrace.fresh();
  check_facts(snapshot, here,
              {{"server we resets_aborted", 2 * 5},
               {"server we peer_resets", 2 * (7 + 3)},
               {"server we peer_resets_avoidable", 2 * 7}},
              {});
  check_facts(snapshot, there,
              {{"client uid 0 resets_received", 2 * 7},
               {"client we resets_received", 2 * (5 + 3)},
               {"client we resets_felt", 2 * (5 + 3)}},
              {});
  for (const NetnsSandbox* netns : {&here, &there}) check_events(twtrace, events, *netns);
}
