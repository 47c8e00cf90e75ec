#include "nn/distributed_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "nn/device_nn.h"
#include "nn/torch_nn.h"
#include "support/errors.h"
#include "support/ranks_nn.h"

namespace cupel::nn {
namespace {

TEST(Group, TheDeclarationsOfGlooAreThoseOfThisLibTorch) {
  EXPECT_EQ(libtorch_version(), "2.11.0")
      << "compare src/nn/gloo_decl with what c10d/ProcessGroupGloo.hpp now includes";
}

TEST(Group, SumsOverAllRanksAndGivesWhatRankZeroHas) {
  on_ranks(3, [](const Peers& peers) {
    EXPECT_EQ(peers.size, 3);
    const auto rank = static_cast<double>(peers.rank);
    const at::Tensor values = at::tensor({rank, 10 * rank, 1.0}, at::kDouble);
    peers.group->sum(values, "a sum");
    EXPECT_TRUE(at::equal(values, at::tensor({3.0, 30.0, 3.0}, at::kDouble)));
    const at::Tensor ids = at::full({4}, 7 - peers.rank, at::kLong);
    peers.group->broadcast(ids, "ids");
    EXPECT_TRUE(at::equal(ids, at::full({4}, 7, at::kLong)));
    EXPECT_EQ(peers.group->from_first("rank " + std::to_string(peers.rank), "a name"), "rank 0");
    EXPECT_EQ(peers.group->from_first(peers.rank == 0 ? "" : "x", "nothing"), "");
  });
}

TEST(Group, ASumHasTheSameBitsOnEveryRank) {
  std::vector<at::Tensor> sums(3);
  on_ranks(3, [&](const Peers& peers) {
    at::Tensor values = at::arange(100'003, at::kFloat);
    values = at::sin(values * (1 + peers.rank)) / 3;
    Group::Pending pending = peers.group->start_sum(values);
    pending.wait("a sum");
    sums[static_cast<std::size_t>(peers.rank)] = values;
  });
  EXPECT_TRUE(at::equal(sums[0], sums[1]));
  EXPECT_TRUE(at::equal(sums[0], sums[2]));
}

TEST(Group, RanksThatMayUseTheSameCoresAreCounted) {
  const Listener listener = listen_on_loopback();
  turn_off_flight_recorder();
  std::thread other([&] { EXPECT_EQ(join(ranks_of(1, 2, listener), 60).local_size, 2); });
  EXPECT_EQ(join(ranks_of(0, 2, listener), 60).local_size, 2);
  other.join();
}

TEST(Group, ARankThatIsGoneEndsTheOthersWaitWithWhatTheyWaitedFor) {
  on_ranks(2, [](const Peers& peers) {
    if (peers.rank == 1) return;
    const at::Tensor values = at::ones({8}, at::kDouble);
    EXPECT_THAT([&] { peers.group->sum(values, "the loss of step 3"); },
                throws_error(ErrorKind::external,
                             "[train]: another rank is gone; waited for the loss of step 3 ("));
  });
}

TEST(Group, ARankThatDoesNotCallEndsTheOthersWaitInTime) {
  const auto begin = std::chrono::steady_clock::now();
  std::atomic<bool> waited{false};
  on_ranks(
      2,
      [&](const Peers& peers) {
        const at::Tensor values = at::ones({8}, at::kDouble);
        if (peers.rank == 1) {
          EXPECT_THAT([&] { peers.group->sum(values, "the weights"); },
                      throws_error(ErrorKind::external,
                                   "[train]: another rank did not come within 2.0 s (ddp_timeout); "
                                   "waited for the weights"));
          waited = true;
        }
        while (!waited) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      },
      2);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(Group, ARankThatNeverJoinsIsNamed) {
  const Listener listener = listen_on_loopback();
  EXPECT_THAT([&] { join(ranks_of(0, 2, listener), 1); },
              throws_error(ErrorKind::external, "[train]: rank 1 of 2 did not join ("));
}

}  // namespace
}  // namespace cupel::nn
