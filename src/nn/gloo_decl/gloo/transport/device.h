// Gloo's network devices and buffers, which c10d/ProcessGroupGloo.hpp of LibTorch 2.11.0 hands on
// without looking inside.
#pragma once

namespace gloo::transport {

class Device {
 public:
  virtual ~Device() = 0;
};

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = 0;
};

}  // namespace gloo::transport
