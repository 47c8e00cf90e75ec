// c10d's headers say something only with these; the gloo headers that the first includes are those
// of src/nn/gloo_decl/.
#define USE_C10D_GLOO
#ifdef CUPEL_GPU
#define USE_C10D_NCCL
#endif
#include "nn/distributed_nn.h"

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "nn/torch_nn.h"

namespace cupel::nn {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr const char* kWhere = "[train]";
constexpr const char* kHint =
    "see what that rank said; go on from the last checkpoint with --resume";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// A foreign error of a call that waited for the other ranks.
[[noreturn]] void fail_waiting(const std::string& what, double timeout_seconds,
                               const std::string& text) {
  // Gloo's words, whichever of its threads sees it first.
  const bool late = text.find("imed out") != std::string::npos ||
                    text.find("timeout caused") != std::string::npos;
  fail(ErrorKind::external, kWhere,
       late ? "another rank did not come within " + shortest(timeout_seconds) +
                  " s (ddp_timeout); waited for " + what
            : "another rank is gone; waited for " + what + " (" + first_line(text) + ")",
       kHint);
}

/// This machine's name and the cores that this process may use: ranks with the same share them.
std::string cores_key() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::string key = std::string("cores/") + host + "/";
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return key;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) key += std::to_string(core) + ",";
  }
  return key;
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address.starts_with("127.");
}

/// The network of GLOO_SOCKET_IFNAME, as for PyTorch; else loopback where the meeting point is
/// there; else what this machine's own name leads to.
std::shared_ptr<gloo::transport::Device> device_for(const Ranks& ranks) {
  using Gloo = c10d::ProcessGroupGloo;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0') return Gloo::createDeviceForInterface(interface);
  if (is_loopback(ranks.address)) return Gloo::createDeviceForHostname("127.0.0.1");
  return Gloo::createDefaultDevice();
}

c10::intrusive_ptr<c10d::Store> meeting_point(const Ranks& ranks, Milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(ranks.port);
  options.isServer = ranks.rank == 0 && !ranks.store_is_up;
  options.waitWorkers = false;
  options.timeout = timeout;
  options.useLibUV = false;  // whose server takes no socket that is open already
  if (options.isServer && ranks.listener >= 0) options.masterListenFd = ranks.listener;
  auto store = c10::make_intrusive<c10d::TCPStore>(ranks.address, options);
  return c10::make_intrusive<c10d::PrefixStore>("cupel/" + ranks.attempt, std::move(store));
}

/// Makes this rank known and waits for all others; how many of them share this one's cores.
int meet(c10d::Store& store, const Ranks& ranks, Milliseconds timeout) {
  const std::string cores = cores_key();
  store.add(cores, 1);
  store.set("rank/" + std::to_string(ranks.rank), "here");
  for (int other = 0; other < ranks.size; ++other) {
    try {
      store.wait({"rank/" + std::to_string(other)}, timeout);
    } catch (const std::exception& error) {
      fail(ErrorKind::external, kWhere,
           "rank " + std::to_string(other) + " of " + std::to_string(ranks.size) +
               " did not join (" + first_line(error.what()) + ")",
           "see that all ranks are started, with the same MASTER_ADDR and MASTER_PORT");
    }
  }
  return static_cast<int>(store.add(cores, 0));
}

}  // namespace

struct Group::Impl {
  Ranks ranks;
  double timeout_seconds;
  int local_size = 1;
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> gloo, nccl;

  Impl(const Ranks& given, double seconds) : ranks(given), timeout_seconds(seconds) {
    const Milliseconds timeout(static_cast<int64_t>(seconds * 1000));
    try {
      store = meeting_point(ranks, timeout);
      local_size = meet(*store, ranks, timeout);
      auto options = c10d::ProcessGroupGloo::Options::create(timeout);
      options->devices.push_back(device_for(ranks));
      gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, ranks.rank, ranks.size,
                                                         std::move(options));
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      fail(ErrorKind::external, kWhere,
           "cannot meet the others at " + ranks.address + ":" + std::to_string(ranks.port) + " (" +
               first_line(error.what()) + ")",
           "see that all ranks are started, with the same MASTER_ADDR and MASTER_PORT");
    }
  }

  /// NCCL's connections are made with the first tensor that lies on a GPU.
  c10d::Backend& backend_of(const at::Tensor& values) {
    CUPEL_ASSERT(values.is_contiguous());
#ifdef CUPEL_GPU
    if (values.is_cuda() && !nccl) {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = Milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
      nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
          c10::make_intrusive<c10d::PrefixStore>("nccl", store), ranks.rank, ranks.size,
          std::move(options));
    }
    if (values.is_cuda()) return *nccl;
#endif
    CUPEL_ASSERT(values.is_cpu());
    return *gloo;
  }
};

struct Group::Pending::Impl {
  const Group::Impl& group;
  c10::intrusive_ptr<c10d::Work> work;
  std::vector<at::Tensor> values;
};

Group::Group(const Ranks& ranks, double timeout_seconds)
    : impl_(std::make_unique<Impl>(ranks, timeout_seconds)) {}
Group::~Group() = default;

int Group::rank() const { return impl_->ranks.rank; }
int Group::size() const { return impl_->ranks.size; }
int Group::local_size() const { return impl_->local_size; }

Group::Pending::Pending(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Group::Pending::Pending(Pending&&) noexcept = default;
Group::Pending::~Pending() = default;

void Group::Pending::wait(const std::string& what) {
  try {
    impl_->work->wait();
  } catch (const std::exception& error) {
    fail_waiting(what, impl_->group.timeout_seconds, error.what());
  }
  // It was written through a raw pointer: copies of weights must notice.
  for (const at::Tensor& each : impl_->values) each.unsafeGetTensorImpl()->bump_version();
}

Group::Pending Group::start_sum(const at::Tensor& values) {
  auto pending = std::make_unique<Pending::Impl>(
      Pending::Impl{*impl_, {}, std::vector<at::Tensor>{values.detach()}});
  pending->work = impl_->backend_of(values).allreduce(pending->values);
  return Pending(std::move(pending));
}

void Group::sum(const at::Tensor& values, const std::string& what) { start_sum(values).wait(what); }

void Group::broadcast(const at::Tensor& values, const std::string& what) {
  auto pending = std::make_unique<Pending::Impl>(
      Pending::Impl{*impl_, {}, std::vector<at::Tensor>{values.detach()}});
  pending->work = impl_->backend_of(values).broadcast(pending->values);
  Pending(std::move(pending)).wait(what);
}

std::string Group::from_first(std::string text, const std::string& what) {
  at::Tensor size = at::full({1}, static_cast<int64_t>(text.size()), at::kLong);
  broadcast(size, what);
  text.resize(static_cast<std::size_t>(size.item<int64_t>()));
  if (text.empty()) return text;
  broadcast(at::from_blob(text.data(), {static_cast<int64_t>(text.size())}, at::kByte), what);
  return text;
}

Peers join(const Ranks& ranks, double timeout_seconds) {
  auto group = std::make_shared<Group>(ranks, timeout_seconds);
  return {ranks.rank, ranks.size, group->local_size(), std::move(group)};
}

}  // namespace cupel::nn
