// One fixed pool of threads; results never depend on how many there are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace cupel {

/// Threads that live as long as it does; calls from several threads wait for one another.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // the calling thread is one of them
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  int size() const;

  /// Calls body(begin, end) on chunks of at most `grain` items that depend on count and grain
  /// alone. The first exception (lowest chunk) is rethrown after all chunks ended. Called from
  /// within a body, it runs its chunks one after the other on that thread.
  void parallel_for(int64_t count, int64_t grain,
                    const std::function<void(int64_t, int64_t)>& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the machine gives this process (affinity and cgroup quota).
int available_threads();

}  // namespace cupel
