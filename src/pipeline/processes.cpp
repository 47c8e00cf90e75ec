#include "pipeline/processes.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "base/error.h"
#include "kernels/kernels.h"
#include "pipeline/program.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline {
namespace {

constexpr std::string_view kSetting = "nproc";
constexpr std::array<std::string_view, 4> kKinds{"wait", "train", "end", "failed"};
/// Between two words of rank 0 that it is still at work, at most.
constexpr double kSilenceSeconds = 20;

const Stage* first_training(const Recipe& recipe) {
  const auto found = std::ranges::find_if(recipe.stages, is_shared);
  return found == recipe.stages.end() ? nullptr : &*found;
}

double timeout_seconds(const Recipe& recipe) {
  return settings_of<TrainStage>(*first_training(recipe), recipe).ddp_timeout;
}

/// What must be the same in every process of a run.
std::string begin_of(const Request& request) {
  const json::Value begin = json::Object{{"version", version()},
                                         {"isa_row", kernels().name},
                                         {"config", resolved_config(request.recipe)}};
  return json::dump(begin);
}

[[noreturn]] void fail_different(int rank, const std::string& mine, const std::string& first) {
  const std::string where = "rank " + std::to_string(rank);
  const json::Value a = json::parse(first, "rank 0"), b = json::parse(mine, where);
  for (const char* key : {"version", "isa_row"}) {
    const std::string then = a.at(key, "rank 0").as_string(key),
                      now = b.at(key, where).as_string(key);
    if (then != now)
      fail(ErrorKind::config, where, std::string(key) + " is " + now + " and rank 0's is " + then,
           "run the same program on all machines; CUPEL_ISA names a kernel row that all have");
  }
  fail(ErrorKind::config, where, "was started with other settings than rank 0",
       "give all processes the same recipe and the same words");
}

}  // namespace

bool is_shared(const Stage& stage) {
  return find_setting(stage.verb->settings(), kSetting) != nullptr;
}

void set_processes(int64_t count, Recipe& recipe) {
  if (first_training(recipe) == nullptr)
    fail(ErrorKind::config, "--nproc", "this command trains nothing", "leave it out");
  for (Stage& stage : recipe.stages) {
    if (is_shared(stage)) yaml::merge_override(stage.settings, "--nproc=" + std::to_string(count));
  }
}

int64_t process_count(const Recipe& recipe) {
  const Stage* first = nullptr;
  int64_t count = 1;
  for (const Stage& stage : recipe.stages) {
    if (!is_shared(stage)) continue;
    const int64_t own = settings_of<TrainStage>(stage, recipe).nproc;
    if (first != nullptr && own != count)
      fail(ErrorKind::config, "[" + stage.name + "]",
           "nproc is " + std::to_string(own) + ", and that of \"" + first->name + "\" is " +
               std::to_string(count),
           "one run has one number of processes: give both the same, or --nproc");
    first = &stage;
    count = own;
  }
  return count;
}

int64_t world_size(const Request& request) {
  const int64_t asked = process_count(request.recipe);
  if (!request.ranks) return asked;
  if (asked > 1 && asked != request.ranks->size)
    fail(ErrorKind::config, "WORLD_SIZE",
         "is " + std::to_string(request.ranks->size) + ", and the recipe's nproc is " +
             std::to_string(asked),
         "leave nproc out where a launcher starts the processes");
  return request.ranks->size;
}

bool is_launcher(const Request& request) { return !request.ranks && world_size(request) > 1; }

Peers join(const Request& request) {
  if (!request.ranks || first_training(request.recipe) == nullptr) return {};
  world_size(request);
  return request.heavy.join(*request.ranks, timeout_seconds(request.recipe));
}

Lead::Lead(const Request& request, const Peers& peers) : request_(request), peers_(peers) {
  if (peers_.size == 1) return;
  request_.heavy.from_first(*peers_.group, begin_of(request_), "rank 0's settings");
  keep_waiting();
}

Lead::~Lead() {
  if (peers_.size == 1) return;
  try {
    if (!ended_ && !training_) tell({.kind = Order::Kind::failed});
  } catch (const Error&) {
    // The others are gone too.
  }
  stop_waiting();
}

void Lead::tell(const Order& order) {
  if (peers_.size == 1) return;
  stop_waiting();
  const json::Value text = json::Object{{"kind", kKinds[static_cast<std::size_t>(order.kind)]},
                                        {"stage", static_cast<int64_t>(order.stage)},
                                        {"folder", order.folder.string()},
                                        {"exit_code", order.exit_code}};
  request_.heavy.from_first(*peers_.group, json::dump(text), "the next stage");
}

void Lead::keep_waiting() {
  const double seconds = std::min(kSilenceSeconds, timeout_seconds(request_.recipe) / 4);
  stop_ = false;
  thread_ = std::thread([this, seconds] {
    const json::Value wait = json::Object{{"kind", kKinds[0]}};
    std::unique_lock lock(mutex_);
    while (
        !changed_.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return stop_; })) {
      try {
        request_.heavy.from_first(*peers_.group, json::dump(wait), "the next stage");
      } catch (const Error&) {
        return;  // which the next order finds out
      }
    }
  });
}

void Lead::stop_waiting() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Lead::begin_training(std::size_t stage, const std::filesystem::path& folder) {
  tell({.kind = Order::Kind::train, .stage = stage, .folder = std::filesystem::absolute(folder)});
  training_ = true;
}

void Lead::end_training() {
  training_ = false;
  if (peers_.size > 1) keep_waiting();
}

void Lead::end(int exit_code) {
  tell({.kind = Order::Kind::end, .exit_code = exit_code});
  ended_ = true;
}

Follower::Follower(const Request& request, const Peers& peers) : request_(request), peers_(peers) {
  const std::string mine = begin_of(request);
  const std::string first = request.heavy.from_first(*peers.group, "", "rank 0's settings");
  if (mine != first) fail_different(peers.rank, mine, first);
}

Order Follower::next() {
  for (;;) {
    const std::string text = request_.heavy.from_first(*peers_.group, "", "the next stage");
    const json::Value value = json::parse(text, "rank 0");
    const std::string kind = value.at("kind", "rank 0").as_string("kind");
    const auto found = std::ranges::find(kKinds, kind);
    CUPEL_ASSERT(found != kKinds.end());
    Order order;
    order.kind = static_cast<Order::Kind>(found - kKinds.begin());
    if (order.kind == Order::Kind::wait) continue;
    order.stage = static_cast<std::size_t>(value.at("stage", "rank 0").as_int("stage"));
    order.folder = value.at("folder", "rank 0").as_string("folder");
    order.exit_code = static_cast<int>(value.at("exit_code", "rank 0").as_int("exit_code"));
    return order;
  }
}

}  // namespace cupel::pipeline
