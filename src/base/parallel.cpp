#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/machine.h"

namespace cupel {
namespace {

// Some ten microseconds: as long as waking a thread takes. A forward pass of one token meets its
// threads again sooner.
constexpr int kSpins = 1000;

/// One call of parallel_for: chunks are taken one by one, in order, by whoever is free.
struct Job {
  int64_t count, grain, chunks;
  const std::function<void(int64_t, int64_t)>* body;
  int64_t next = 0;               // under the pool's mutex
  std::atomic<int64_t> ended{0};  // changed under it
  int64_t failed_chunk = INT64_MAX;
  std::exception_ptr failure = nullptr;
};

thread_local bool inside_a_body = false;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

template <class Condition>
void spin_until(int spins, const Condition& condition) {
  for (int i = 0; i < spins && !condition(); ++i) pause();
}

void run_chunk(const Job& job, int64_t chunk) {
  const int64_t begin = chunk * job.grain;
  (*job.body)(begin, begin + std::min(job.grain, job.count - begin));
}

}  // namespace

struct ThreadPool::Impl {
  std::mutex calls;  // one parallel_for at a time
  std::mutex mutex;
  std::condition_variable work, done;
  Job* job = nullptr;
  std::atomic<uint64_t> posted{0};  // jobs that have work for others, so far
  std::atomic<bool> stopping{false};
  int spins = 0;
  std::vector<std::thread> workers;

  /// Takes chunks until none is left. Expects and returns with `lock` held.
  void help(Job& current, std::unique_lock<std::mutex>& lock) {
    while (current.next < current.chunks) {
      const int64_t chunk = current.next++;
      lock.unlock();
      std::exception_ptr failure;
      inside_a_body = true;
      try {
        run_chunk(current, chunk);
      } catch (...) {
        failure = std::current_exception();
      }
      inside_a_body = false;
      lock.lock();
      if (failure && chunk < current.failed_chunk) {
        current.failed_chunk = chunk;
        current.failure = failure;
      }
      if (current.ended.fetch_add(1) + 1 == current.chunks) done.notify_all();
    }
  }

  void work_until_stopped() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (job) help(*job, lock);
      const auto called = [&, seen = posted.load()] { return stopping || posted != seen; };
      lock.unlock();
      spin_until(spins, called);
      lock.lock();
      work.wait(lock, called);
    }
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  CUPEL_ASSERT(threads > 0);
  if (threads <= available_threads()) impl_->spins = kSpins;
  for (int i = 1; i < threads; ++i) {
    impl_->workers.emplace_back([impl = impl_.get()] { impl->work_until_stopped(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->work.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

int ThreadPool::size() const { return static_cast<int>(impl_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t count, int64_t grain,
                              const std::function<void(int64_t, int64_t)>& body) {
  CUPEL_ASSERT(grain > 0);
  if (count <= 0) return;
  Job job{.count = count, .grain = grain, .chunks = (count - 1) / grain + 1, .body = &body};
  if (inside_a_body) {
    for (int64_t chunk = 0; chunk < job.chunks; ++chunk) run_chunk(job, chunk);
    return;
  }
  const std::lock_guard one_call(impl_->calls);
  std::unique_lock lock(impl_->mutex);
  impl_->job = &job;
  if (job.chunks > 1) {
    ++impl_->posted;
    impl_->work.notify_all();
  }
  impl_->help(job, lock);
  lock.unlock();
  spin_until(impl_->spins, [&] { return job.ended.load() == job.chunks; });
  lock.lock();
  impl_->done.wait(lock, [&] { return job.ended == job.chunks; });
  impl_->job = nullptr;
  if (job.failure) std::rethrow_exception(job.failure);
}

int available_threads() { return usable_cores(); }

}  // namespace cupel
