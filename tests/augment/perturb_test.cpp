#include "augment/perturb.h"

#include <gtest/gtest.h>

namespace cupel::augment {
namespace {

Feature feature(double mean, double deviation, double low, double high) {
  Feature out;
  out.mean = mean;
  out.deviation = deviation;
  out.low = low;
  out.high = high;
  return out;
}

struct Box {
  std::vector<float> low, high;
};

Box box_of(const Perturber& perturber, const std::vector<float>& x) {
  Box out{std::vector<float>(x.size()), std::vector<float>(x.size())};
  perturber.box(x.data(), static_cast<int64_t>(x.size()) / perturber.width(), out.low.data(),
                out.high.data());
  return out;
}

TEST(Perturber, TheBoxIsEpsilonWideWithinTheRangeThatTrainingRowsHave) {
  const Perturber perturber({feature(10, 2, 10, 100)}, {.epsilon = 0.5}, 2);
  const Box box = box_of(perturber, {3, 0, 0.25f, 0});
  EXPECT_FLOAT_EQ(box.low[0], 2.5f);
  EXPECT_FLOAT_EQ(box.high[0], 3.5f);
  EXPECT_FLOAT_EQ(box.low[2], 0);  // the value 10, not 9.5
  EXPECT_FLOAT_EQ(box.high[2], 0.75f);
  EXPECT_EQ(box.low[1], 0);  // padding stays
  EXPECT_EQ(box.high[1], 0);
}

TEST(Perturber, ARowBeyondTheRangeMayStayWhereItIs) {
  const Perturber perturber({feature(0, 1, 0, 1)}, {.epsilon = 0.5}, 1);
  const Box box = box_of(perturber, {4});
  EXPECT_FLOAT_EQ(box.low[0], 3.5f);
  EXPECT_FLOAT_EQ(box.high[0], 4);
}

TEST(Perturber, AnImmutableColumnDoesNotMove) {
  Feature fixed = feature(0, 1, -10, 10);
  fixed.immutable = true;
  const Box box = box_of(Perturber({fixed}, {.epsilon = 0.5}, 1), {2});
  EXPECT_EQ(box.low[0], 2);
  EXPECT_EQ(box.high[0], 2);
}

TEST(Perturber, ARelativeBoundIsAShareOfTheValueItself) {
  const Perturber perturber({feature(100, 10, 0, 1000)}, {.epsilon = 1, .relative = 0.02}, 1);
  const Box box = box_of(perturber, {10});  // the value 200: at most 4 of it, 0.4 deviations
  EXPECT_NEAR(box.low[0], 9.6f, 1e-5);
  EXPECT_NEAR(box.high[0], 10.4f, 1e-5);
}

TEST(Perturber, AWholeNumberStaysWholeOrStaysWhereItWas) {
  Feature count = feature(4, 2, 0, 20);
  count.integer = true;
  const Perturber perturber({count}, {.epsilon = 0.6}, 1);
  const std::vector<float> x = {0, 0, 0};  // the value 4; one more is 0.5 deviations away
  std::vector<float> moved = {0.6f, 0.1f, -0.4f};
  perturber.finish(x.data(), 3, moved.data());
  EXPECT_EQ(moved, (std::vector<float>{0.5f, 0, -0.5f}));
  const Perturber tight({count}, {.epsilon = 0.3}, 1);
  moved = {0.3f, 0.1f, -0.3f};
  tight.finish(x.data(), 3, moved.data());
  EXPECT_EQ(moved, (std::vector<float>{0, 0, 0}));
}

TEST(Perturber, AOneHotGroupStaysInACornerThatIsWithinReach) {
  Feature a = feature(0.5, 0.5, 0, 1), b = a;
  a.group = b.group = 0;
  const std::vector<float> x = {1, -1};
  for (const double epsilon : {1.5, 2.5}) {
    const Perturber perturber({a, b}, {.epsilon = epsilon}, 2);
    std::vector<float> moved = {-0.5f, 0.5f};
    perturber.finish(x.data(), 1, moved.data());
    const std::vector<float> expected =
        epsilon > 2 ? std::vector<float>{-1, 1} : std::vector<float>{1, -1};
    EXPECT_EQ(moved, expected) << epsilon;
  }
}

}  // namespace
}  // namespace cupel::augment
