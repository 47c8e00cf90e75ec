// Which of several processes of one run this is, as torchrun, Slurm scripts, Kubernetes and
// `--nproc` tell it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace cupel::nn {

/// A process among `size` that train one model together.
struct Ranks {
  int rank = 0, size = 1;
  std::string address;        // where rank 0, or the launcher for it, keeps the meeting point
  int port = 0;               // of the meeting point
  int listener = -1;          // rank 0 of `--nproc`: an open socket that listens on `port`
  bool store_is_up = false;   // torchrun keeps the meeting point, rank 0 does not
  std::string attempt = "0";  // torchrun's count of restarts: ranks of an earlier one never meet
};

/// Elements of the buckets in which gradients are summed: a small one first, so that the first sum
/// starts early in the backward pass (PyTorch's DistributedDataParallel has the same sizes, 1 and
/// 25 MiB).
inline constexpr int64_t kFirstBucket = 1 << 18, kBucket = 25 << 18;

/// Looks up a variable of the environment; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

/// RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; LOCAL_RANK is checked too. Null where none of
/// RANK and WORLD_SIZE is set, or there is one process. Throws Error{config} that names the
/// variable that is missing, no number or out of range.
std::optional<Ranks> ranks_of_environment(const Environment& environment);

/// A socket that listens on a free port of 127.0.0.1, closed on exec.
struct Listener {
  int socket = -1, port = 0;
};
/// Throws Error{resource} where none can be had.
Listener listen_on_loopback();

/// Variable that hands a Listener's socket to rank 0.
inline constexpr const char* kListenerVariable = "CUPEL_LISTENER";

}  // namespace cupel::nn
