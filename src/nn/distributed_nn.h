// The processes that train one model: sums over all of them, and what rank 0 gives to the others.
#pragma once

#include <memory>
#include <string>

#include "base/run.h"
#include "nn/distributed.h"
#include "nn/fwd.h"

namespace cupel::nn {

/// Collective calls over c10d, by Gloo, and with the gpu preset by NCCL for tensors on a GPU: every
/// rank makes the same calls in the same order. `what`
/// names the call in errors. All throw Error{external} when another rank has gone, or has not made
/// the same call within the timeout. Sums have the same bits on every rank.
class Group {
 public:
  /// Meets the other ranks. Throws Error{external} that names a rank that did not come in time.
  Group(const Ranks& ranks, double timeout_seconds);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int rank() const;
  int size() const;
  /// Ranks of this machine that may use the very cores that this one may.
  int local_size() const;

  /// Takes the place of `values` (contiguous) on every rank.
  void sum(const at::Tensor& values, const std::string& what);
  /// Rank 0's `values` on every rank.
  void broadcast(const at::Tensor& values, const std::string& what);
  /// Rank 0's text on every rank.
  std::string from_first(std::string text, const std::string& what);

  /// A sum that goes on while this process computes. `values` must not be touched before wait().
  class Pending {
   public:
    Pending(Pending&&) noexcept;
    ~Pending();
    void wait(const std::string& what);

   private:
    friend class Group;
    struct Impl;
    explicit Pending(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  Pending start_sum(const at::Tensor& values);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The group of `ranks`, as a run is given it.
Peers join(const Ranks& ranks, double timeout_seconds);

}  // namespace cupel::nn
