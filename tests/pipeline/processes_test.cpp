#include "pipeline/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "pipeline/execute.h"
#include "pipeline/validate.h"
#include "support/errors.h"
#include "support/requests.h"

namespace cupel::nn {

/// A group of two threads: texts of rank 0, in order.
class Group {
 public:
  std::string from_first(int rank, std::string text) {
    std::unique_lock lock(mutex_);
    if (rank == 0) {
      texts_.push_back(text);
      changed_.notify_all();
      return text;
    }
    changed_.wait(lock, [&] { return taken_ < texts_.size(); });
    return texts_[taken_++];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> texts_;
  std::size_t taken_ = 0;
};

}  // namespace cupel::nn

namespace cupel::pipeline {
namespace {

const std::string kTwoTrainings =
    "stages:\n"
    "  - train: {model: {}, datasets: [{type: arithmetic}], nproc: 2}\n"
    "  - train: {base_model: \"${train.model}\", datasets: [{type: arithmetic}], nproc: 2}\n";

TEST(Processes, AreAsManyAsTheTrainingsAskFor) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  EXPECT_EQ(process_count(request_for(folder, "run", kTrainSection).recipe), 1);
  EXPECT_EQ(process_count(request_for(folder, "run", kTwoTrainings).recipe), 2);
  std::string other = kTwoTrainings;
  other.replace(other.rfind("nproc: 2"), 8, "nproc: 3");
  EXPECT_THAT([&] { request_for(folder, "run", other); },
              throws_exactly(ErrorKind::config,
                             "[train-2]: nproc is 3, and that of \"train\" is 2; one run has one "
                             "number of processes: give both the same, or --nproc"));
}

TEST(Processes, TheFlagIsTheSettingOfEveryTraining) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTwoTrainings);
  set_processes(3, request.recipe);
  EXPECT_EQ(process_count(request.recipe), 3);
  EXPECT_TRUE(is_launcher(request));
  Recipe empty;
  EXPECT_THAT(
      [&] { set_processes(2, empty); },
      throws_exactly(ErrorKind::config, "--nproc: this command trains nothing; leave it out"));
}

TEST(Processes, ALauncherOutsideIsJoinedAndItsNumberHolds) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Request request = request_for(folder, "run", kTrainSection);
  request.ranks = nn::Ranks{1, 4, "127.0.0.1", 1234};
  EXPECT_EQ(world_size(request), 4);
  EXPECT_FALSE(is_launcher(request));
  set_processes(2, request.recipe);
  EXPECT_THAT([&] { world_size(request); },
              throws_exactly(ErrorKind::config,
                             "WORLD_SIZE: is 4, and the recipe's nproc is 2; leave nproc out "
                             "where a launcher starts the processes"));
}

/// Requests of two ranks that meet in one Group.
struct Pair {
  std::shared_ptr<nn::Group> group = std::make_shared<nn::Group>();
  Request first, second;
  Peers first_peers{0, 2, 2, group}, second_peers{1, 2, 2, group};

  Pair(const TemporaryFolder& folder, const std::string& recipe) {
    for (Request* request : {&first, &second}) {
      *request = request_for(folder, "run", recipe);
      request->ranks = nn::Ranks{request == &second, 2, "127.0.0.1", 1};
    }
    first.heavy.from_first = [](nn::Group& all, std::string text, const std::string&) {
      return all.from_first(0, std::move(text));
    };
    second.heavy.from_first = [](nn::Group& all, std::string text, const std::string&) {
      return all.from_first(1, std::move(text));
    };
  }
};

TEST(Lead, TellsTheOthersWhatToTrainAndWhenToEnd) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Pair pair(folder, kTrainSection);
  {
    Lead lead(pair.first, pair.first_peers);
    lead.begin_training(0, folder / "run");
    lead.end_training();
    lead.end(3);
  }
  Follower follower(pair.second, pair.second_peers);
  const Order train = follower.next();
  EXPECT_EQ(train.kind, Order::Kind::train);
  EXPECT_EQ(train.folder, folder / "run");
  const Order end = follower.next();
  EXPECT_EQ(end.kind, Order::Kind::end);
  EXPECT_EQ(end.exit_code, 3);
}

TEST(Lead, KeepsTheOthersWaitingWhileItIsAtWork) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Pair pair(folder, kTrainSection + "  ddp_timeout: 1\n");
  {
    Lead lead(pair.first, pair.first_peers);
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
  }
  pair.group->from_first(1, "");  // its settings
  int waits = 0;
  std::string text;
  while ((text = pair.group->from_first(1, "")).find("failed") == std::string::npos) {
    EXPECT_THAT(text, testing::HasSubstr("wait"));
    ++waits;
  }
  EXPECT_GE(waits, 1);
  EXPECT_LE(waits, 4);
}

TEST(Lead, WhoseRunFailsTellsTheOthersUnlessTheySeeIt) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Pair pair(folder, kTrainSection);
  { Lead lead(pair.first, pair.first_peers); }
  Follower follower(pair.second, pair.second_peers);
  EXPECT_EQ(follower.next().kind, Order::Kind::failed);
  {
    Lead lead(pair.first, pair.first_peers);
    lead.begin_training(0, folder / "run");
  }
  pair.group->from_first(0, "last");
  Follower second(pair.second, pair.second_peers);
  EXPECT_EQ(second.next().kind, Order::Kind::train);
  EXPECT_EQ(pair.group->from_first(1, ""), "last");
}

TEST(Follower, ThatWasStartedOtherwiseIsRefused) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Pair pair(folder, kTrainSection);
  set_processes(2, pair.second.recipe);
  Lead lead(pair.first, pair.first_peers);
  EXPECT_THAT([&] { Follower(pair.second, pair.second_peers); },
              throws_exactly(ErrorKind::config,
                             "rank 1: was started with other settings than rank 0; give all "
                             "processes the same recipe and the same words"));
}

std::atomic<int> trainings{0};
std::atomic<int> with_folder{0};

TEST(SeveralRanks, AllTrainAndRankZeroAloneWrites) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  Pair pair(folder, kTwoTrainings);
  trainings = with_folder = 0;
  for (Request* request : {&pair.first, &pair.second}) {
    request->heavy.train = [](const TrainStage& config, cupel::Run& run) {
      ++trainings;
      with_folder += run.has_folder();
      return pretend_to_train(config, run);
    };
  }
  static Pair* meeting = nullptr;
  meeting = &pair;
  const auto join = [](const nn::Ranks& ranks, double) {
    return ranks.rank == 0 ? meeting->first_peers : meeting->second_peers;
  };
  pair.first.heavy.join = pair.second.heavy.join = join;
  std::thread other([&] {
    const Executed done = execute(pair.second, folder / "never");
    EXPECT_EQ(done.exit_code, 0);
    EXPECT_TRUE(done.texts.empty());
  });
  const Executed done = execute(pair.first, folder / "run");
  other.join();
  EXPECT_EQ(trainings, 4);
  EXPECT_EQ(with_folder, 2);
  EXPECT_TRUE(std::filesystem::exists(folder / "run/train-2/model/weights"));
  EXPECT_FALSE(std::filesystem::exists(folder / "never"));
}

}  // namespace
}  // namespace cupel::pipeline
