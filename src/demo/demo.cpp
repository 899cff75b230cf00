// SPDX-License-Identifier: Apache-2.0
#include "demo/demo.hpp"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "demo/stage.hpp"
#include "kernel/capabilities.hpp"

namespace twtrace::demo {
namespace {

/// What the keeper tells, in memory that both processes share.
struct Told {
  std::uint32_t netns = 0;
  std::array<char, 512> unnamed{};
};

struct Unmap {
  void operator()(Told* told) const { ::munmap(told, sizeof(*told)); }
};
using SharedTold = std::unique_ptr<Told, Unmap>;

base::Result<SharedTold> share() {
  void* memory = ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const int saved_errno = errno;
  if (memory == MAP_FAILED) return base::fail_errno(saved_errno, "cannot share memory with the demo");
  return SharedTold(new (memory) Told);
}

base::Result<void> check_privileges() {
  constexpr std::array<unsigned, 2> kWanted = {CAP_SYS_ADMIN, CAP_NET_ADMIN};
  const auto effective = kernel::effective_capabilities(kernel::Procfs());
  if (!effective) return {};  // then trying tells
  std::string missing;
  for (const unsigned capability : effective->missing(kWanted)) {
    missing += (missing.empty() ? "" : ", ") + kernel::capability_name(capability);
  }
  if (missing.empty()) return {};
  return base::fail(base::ErrorCode::kPermission, "the demo makes a network namespace of its own and lacks " + missing,
                    "run it with sudo");
}

void wait_for_end(int pipe) {
  char byte = 0;
  while (::read(pipe, &byte, sizeof(byte)) < 0 && errno == EINTR) {
  }
}

/// In the keeper. The stage is removed with the work that is returned.
base::Result<Work> keep_stage(pid_t owner, int end, Told& told, const Reduce& reduce) {
  ::prctl(PR_SET_PDEATHSIG, 0);  // else the end of the owner would be the end before anything is removed
  auto built = Stage::build(owner, reduce);
  if (!built) return tl::unexpected(built.error());
  const auto stage = std::make_shared<Stage>(std::move(*built));
  told.netns = stage->netns();
  stage->unnamed().copy(told.unnamed.data(), told.unnamed.size() - 1);
  return Work([stage, end] {
    stage->begin();
    wait_for_end(end);
  });
}

}  // namespace

base::Result<Demo> Demo::start(const Reduce& reduce) {
  if (auto privileged = check_privileges(); !privileged) return tl::unexpected(privileged.error());
  auto end = make_pipe();
  if (!end) return tl::unexpected(end.error());
  auto told = share();
  if (!told) return tl::unexpected(told.error());
  const pid_t owner = ::getpid();
  auto keeper = Child::spawn({"demo-keeper", {}, -1, [&]() -> base::Result<Work> {
                                end->writer.reset();  // the owner's alone
                                return keep_stage(owner, end->reader.get(), **told, reduce);
                              }});
  if (!keeper) return tl::unexpected(keeper.error());
  return Demo(std::move(*keeper), std::move(end->writer), (*told)->netns, (*told)->unnamed.data());
}

Demo::~Demo() {
  if (!end_) return;  // moved from
  end_.reset();
  keeper_.let_end();
}

std::string Demo::explanation() { return Stage::explanation(); }

}  // namespace twtrace::demo
