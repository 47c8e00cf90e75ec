#include "base/stats.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "support/errors.h"
#include "support/rows.h"

namespace cupel {
namespace {

TEST(Stats, MeanVarianceAndQuantilesOfKnownValues) {
  const std::vector<double> values{2, 4, 4, 4, 5, 5, 7, 9};
  EXPECT_DOUBLE_EQ(mean(values), 5);
  EXPECT_DOUBLE_EQ(variance(values), 32.0 / 7);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 4.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.95), 8.3);  // numpy.quantile
  EXPECT_DOUBLE_EQ(quantile(values, 0), 2);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 9);
  EXPECT_EQ(variance(std::array{3.0}), 0);
  EXPECT_THAT([] { mean({}); }, throws_error(ErrorKind::bug, "values.empty()"));
}

// Wichura 1988, algorithm AS 241, table of check values; tails from R's qnorm.
TEST(Stats, NormalQuantileAgreesWithPublishedValues) {
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-13);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_THAT([] { normal_quantile(1); }, throws_error(ErrorKind::bug, "p < 1"));
}

TEST(Stats, NormalQuantileInvertsTheCdf) {
  for (const double p : {1e-300, 1e-10, 0.02424, 0.02426, 0.3, 0.5, 0.9, 1 - 1e-9}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)) / p, 1, 1e-12) << p;
  }
}

// Values of scipy.special.betainc.
TEST(Stats, IncompleteBetaAgreesWithReferenceValues) {
  EXPECT_NEAR(incomplete_beta(2, 3, 0.5), 0.6875, 1e-15);
  EXPECT_NEAR(incomplete_beta(0.5, 0.5, 0.25), 1.0 / 3, 1e-14);
  EXPECT_NEAR(incomplete_beta(1, 5, 0.2), 1 - std::pow(0.8, 5), 1e-15);
  EXPECT_EQ(incomplete_beta(2, 3, 0), 0);
  EXPECT_EQ(incomplete_beta(2, 3, 1), 1);
  for (const double x : {0.01, 0.4, 0.77}) {
    EXPECT_NEAR(incomplete_beta(3.5, 40, x) + incomplete_beta(40, 3.5, 1 - x), 1, 1e-13);
  }
}

// Two-sided 95 % points of Student's t as every table has them, and R's qt to 15 digits.
TEST(Stats, StudentTQuantileAgreesWithPublishedTables) {
  EXPECT_NEAR(student_t_quantile(0.975, 1), 12.706204736174698, 1e-11);
  EXPECT_NEAR(student_t_quantile(0.975, 4), 2.7764451051977987, 1e-12);
  EXPECT_NEAR(student_t_quantile(0.975, 30), 2.042272456301238, 1e-12);
  EXPECT_NEAR(student_t_quantile(0.995, 9), 3.2498355415921263, 1e-11);
  EXPECT_NEAR(student_t_quantile(0.05, 9), -student_t_quantile(0.95, 9), 1e-12);
  EXPECT_NEAR(student_t_quantile(0.975, 1e6), 1.95996635681, 1e-9);
  EXPECT_EQ(student_t_quantile(0.5, 3), 0);
}

TEST(Stats, StudentTCdfOfOneDegreeIsCauchys) {
  for (const double t : {-50.0, -1.0, 0.0, 0.3, 1.0, 7.0}) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / M_PI, 1e-14) << t;
  }
}

TEST(Stats, TIntervalOfFiveValues) {
  const std::vector<double> values{1, 2, 3, 4, 5};
  const Interval interval = t_interval(values);
  EXPECT_NEAR(interval.low, 1.0367568385224393, 1e-12);  // scipy.stats.t.interval
  EXPECT_NEAR(interval.high, 4.9632431614775607, 1e-12);
  EXPECT_EQ(t_interval(std::array{3.0}), (Interval{3, 3}));
}

// Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29 by the score method.
TEST(Stats, WilsonIntervalAgreesWithNewcombesTable) {
  const auto is_near = [](Interval interval, double low, double high) {
    EXPECT_NEAR(interval.low, low, 5e-5);
    EXPECT_NEAR(interval.high, high, 5e-5);
  };
  is_near(wilson_interval(81, 263), 0.2553, 0.3662);
  is_near(wilson_interval(15, 148), 0.0624, 0.1605);
  is_near(wilson_interval(0, 20), 0, 0.1611);
  is_near(wilson_interval(1, 29), 0.0061, 0.1718);
  EXPECT_EQ(wilson_interval(20, 20).high, 1);
}

TEST(Stats, TheTIntervalCoversTheMeanAsOftenAsItSays) {
  Rng rng(1, "coverage");
  int covered = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(5);
    for (double& value : values) value = 3 + 2 * rng.normal();
    const Interval interval = t_interval(values);
    covered += interval.low <= 3 && 3 <= interval.high;
  }
  EXPECT_NEAR(covered / double{kTrials}, 0.95, 0.02);  // 4 standard errors
}

TEST(Stats, TheBootstrapOfAMeanComesCloseToTheTIntervalAndRepeats) {
  const std::vector<double> values = uniform_values(200, 0, 1);
  const auto once = bootstrap_interval(values, mean, Rng(1, "bootstrap"));
  const Interval exact = t_interval(values);
  EXPECT_NEAR(once.low, exact.low, 0.01);
  EXPECT_NEAR(once.high, exact.high, 0.01);
  EXPECT_EQ(once, bootstrap_interval(values, mean, Rng(1, "bootstrap")));
}

// Student 1908: extra hours of sleep, ten patients, two drugs; t = 4.0621, p = 0.00283.
TEST(Stats, PairedDifferenceOfStudentsSleepData) {
  const std::vector<double> b{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const std::vector<double> a{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const PairedDifference result = paired_difference(b, a);
  EXPECT_NEAR(result.mean, 1.58, 1e-12);
  EXPECT_NEAR(result.interval.low, 0.7001142, 1e-6);
  EXPECT_NEAR(result.interval.high, 2.4598858, 1e-6);
  EXPECT_NEAR(result.p_value, 0.002832890, 1e-8);
  EXPECT_EQ(paired_difference(a, a).p_value, 1);
}

}  // namespace
}  // namespace cupel
