// A run of several processes: how many, what each of them does, and what rank 0 tells the others.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "nn/distributed.h"
#include "pipeline/recipe.h"

namespace cupel::pipeline {

using nn::kListenerVariable;
using nn::listen_on_loopback;
using nn::Listener;
using nn::ranks_of_environment;

/// Whether every process of a run takes part in the stage; the others are rank 0's alone.
bool is_shared(const Stage& stage);

/// `--nproc`: the setting of every training of the recipe. Throws Error{config} if there is none.
void set_processes(int64_t count, Recipe& recipe);

/// Processes that the recipe's trainings ask for, at least 1. Throws Error{config} if two trainings
/// ask for different numbers.
int64_t process_count(const Recipe& recipe);

/// Those of the launcher, else of the recipe. Throws Error{config} if the recipe asks for another
/// number above 1 than the launcher started.
int64_t world_size(const Request& request);

/// Whether this process should start others and wait for them.
bool is_launcher(const Request& request);

/// Meets the other ranks of the request; alone where it has none or trains nothing.
Peers join(const Request& request);

/// What rank 0 tells the others to do next.
struct Order {
  enum class Kind { wait, train, end, failed };
  Kind kind = Kind::wait;
  std::size_t stage = 0;           // train
  std::filesystem::path folder{};  // train: of the run
  int exit_code = 0;               // end
};

/// Rank 0's part. Tells the others that it is at work as long as no order is given, so that each
/// of them notices within ddp_timeout if it is not. Without others it does nothing.
class Lead {
 public:
  /// Throws Error{external} if another rank has gone.
  Lead(const Request& request, const Peers& peers);
  /// Without end(): the others hear that the run failed; not amid a training, where they see it.
  ~Lead();
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;

  /// All begin with the training `stage` of the run in `folder` …
  void begin_training(std::size_t stage, const std::filesystem::path& folder);
  /// … and have done with it.
  void end_training();
  void end(int exit_code);

 private:
  void tell(const Order& order);
  void keep_waiting();
  void stop_waiting();

  const Request& request_;
  const Peers& peers_;
  bool training_ = false, ended_ = false;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
};

/// The other ranks' part: the next order that is none to wait. The first call checks that this rank
/// was started as rank 0 was; throws Error{config} if not.
class Follower {
 public:
  Follower(const Request& request, const Peers& peers);
  Order next();

 private:
  const Request& request_;
  const Peers& peers_;
};

}  // namespace cupel::pipeline
