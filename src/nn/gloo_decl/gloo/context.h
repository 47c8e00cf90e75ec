// Gloo's connections among ranks: the one member that c10d/ProcessGroupGloo.hpp of LibTorch 2.11.0
// calls by name. Objects are made and destroyed inside libtorch_cpu alone.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
