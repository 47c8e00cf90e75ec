// Means, intervals and the special functions behind them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/rng.h"

namespace cupel {

/// A confidence interval; a report prints it as [low, high].
struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};

// Empty samples are a caller's mistake (Error{bug}), as are probabilities outside (0, 1).

/// 0 where there is nothing to take a share of.
inline double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

double mean(std::span<const double> values);
/// Divided by n - 1; 0 for one value.
double variance(std::span<const double> values);
/// Linear interpolation between order statistics (Hyndman and Fan 1996, type 7). p in [0, 1].
double quantile(std::vector<double> values, double p);

/// Of the standard normal distribution, and its inverse.
double normal_cdf(double x);
/// Acklam's rational approximation and two Halley steps on erfc: full double precision.
double normal_quantile(double p);

/// Regularised incomplete beta function I_x(a, b): continued fraction by Lentz's method.
double incomplete_beta(double a, double b, double x);
/// Of Student's t with `degrees` > 0 of freedom, and its inverse by bisection to the last bit.
double student_t_cdf(double t, double degrees);
double student_t_quantile(double p, double degrees);

/// Of the mean; degenerate for one value.
Interval t_interval(std::span<const double> values, double level = 0.95);
/// Of a proportion (Wilson 1927); never leaves [0, 1], never degenerate at 0 or n successes.
Interval wilson_interval(int64_t successes, int64_t trials, double level = 0.95);

/// Percentile bootstrap (Efron 1979) of statistic(resample). Left out: bias correction and
/// acceleration.
Interval bootstrap_interval(std::span<const double> values,
                            const std::function<double(std::span<const double>)>& statistic,
                            Rng rng, int resamples = 2000, double level = 0.95);

/// Difference a - b of values that belong together, as of two methods on one random seed.
struct PairedDifference {
  double mean = 0;
  Interval interval;
  double p_value = 1;  // two-sided t test of mean = 0
};
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b,
                                   double level = 0.95);

}  // namespace cupel
