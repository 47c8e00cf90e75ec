#include "base/stats.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numbers>

#include "base/error.h"

namespace cupel {
namespace {

void check_probability(double p) { CUPEL_ASSERT(p > 0 && p < 1); }

/// P(Z > x) without the cancellation of 1 - cdf.
double normal_survival(double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); }

/// Horner's rule, highest power first.
double polynomial(double x, std::initializer_list<double> coefficients) {
  double sum = 0;
  for (const double coefficient : coefficients) sum = sum * x + coefficient;
  return sum;
}

/// For p in (0, 0.5]; relative error 1.2e-9 (P. J. Acklam, "An algorithm for computing the inverse
/// normal cumulative distribution function", 2003).
double acklam(double p) {
  if (p < 0.02425) {
    const double q = std::sqrt(-2 * std::log(p));
    return polynomial(q, {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00, 2.938163982698783e+00}) /
           polynomial(q, {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                          3.754408661907416e+00, 1});
  }
  const double q = p - 0.5;
  const double above =
      polynomial(q * q, {-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
                         1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239e+00});
  const double below =
      polynomial(q * q, {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                         6.680131188771972e+01, -1.328068155288572e+01, 1});
  return q * above / below;
}

/// The continued fraction of I_x(a, b); converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMaxTerms = 10000;
  const auto nonzero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double factor = 1;
    for (const double term : {even, odd}) {
      d = 1 / nonzero(1 + term * d);
      c = nonzero(1 + term / c);
      factor = d * c;
      result *= factor;
    }
    if (std::abs(factor - 1) < 1e-16) break;
  }
  return result;
}

Interval around(double center, double half_width) {
  return {center - half_width, center + half_width};
}

}  // namespace

double mean(std::span<const double> values) {
  CUPEL_ASSERT(!values.empty());
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double variance(std::span<const double> values) {
  if (values.size() == 1) return 0;
  const double center = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return sum / static_cast<double>(values.size() - 1);
}

double quantile(std::vector<double> values, double p) {
  CUPEL_ASSERT(!values.empty() && p >= 0 && p <= 1);
  std::sort(values.begin(), values.end());
  const double rank = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], rank - std::floor(rank));
}

double normal_cdf(double x) { return normal_survival(-x); }

double normal_quantile(double p) {
  check_probability(p);
  if (p > 0.5) return -normal_quantile(1 - p);
  double x = acklam(p);
  for (int step = 0; step < 2; ++step) {
    const double error = normal_cdf(x) - p;
    const double newton = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    x -= newton / (1 + x * newton / 2);
  }
  return x;
}

double incomplete_beta(double a, double b, double x) {
  CUPEL_ASSERT(a > 0 && b > 0 && x >= 0 && x <= 1);
  if (x == 0 || x == 1) return x;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  const double log_front =
      std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x);
  return std::exp(log_front) * beta_fraction(a, b, x) / a;
}

double student_t_cdf(double t, double degrees) {
  CUPEL_ASSERT(degrees > 0);
  const double square = t * t;
  if (square < degrees) {
    const double center = incomplete_beta(0.5, degrees / 2, square / (degrees + square)) / 2;
    return t > 0 ? 0.5 + center : 0.5 - center;
  }
  const double tail = incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square)) / 2;
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double degrees) {
  check_probability(p);
  if (p > 0.5) return -student_t_quantile(1 - p, degrees);
  if (p == 0.5) return 0;
  double low = -1;
  while (student_t_cdf(low, degrees) > p) low *= 2;
  double high = 0;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    (student_t_cdf(middle, degrees) < p ? low : high) = middle;
  }
}

Interval t_interval(std::span<const double> values, double level) {
  check_probability(level);
  const double center = mean(values);
  if (values.size() == 1) return {center, center};
  const auto n = static_cast<double>(values.size());
  const double t = student_t_quantile((1 + level) / 2, n - 1);
  return around(center, t * std::sqrt(variance(values) / n));
}

Interval wilson_interval(int64_t successes, int64_t trials, double level) {
  CUPEL_ASSERT(successes >= 0 && trials > 0 && successes <= trials);
  const double z = normal_quantile((1 + level) / 2);
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double shrink = 1 + z * z / n;
  const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  const Interval raw = around((share + z * z / (2 * n)) / shrink, spread / shrink);
  return {successes == 0 ? 0 : raw.low, successes == trials ? 1 : raw.high};
}

Interval bootstrap_interval(std::span<const double> values,
                            const std::function<double(std::span<const double>)>& statistic,
                            Rng rng, int resamples, double level) {
  CUPEL_ASSERT(!values.empty() && resamples > 0);
  check_probability(level);
  std::vector<double> results, sample(values.size());
  for (int i = 0; i < resamples; ++i) {
    for (double& value : sample) value = values[rng.below(values.size())];
    results.push_back(statistic(sample));
  }
  return {quantile(results, (1 - level) / 2), quantile(results, (1 + level) / 2)};
}

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b,
                                   double level) {
  CUPEL_ASSERT(a.size() == b.size());
  std::vector<double> differences(a.size());
  std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
  PairedDifference result{mean(differences), t_interval(differences, level), 1};
  const double error = std::sqrt(variance(differences) / static_cast<double>(a.size()));
  if (a.size() < 2) return result;
  if (error == 0) {
    result.p_value = result.mean == 0 ? 1 : 0;
    return result;
  }
  const double t = std::abs(result.mean) / error;
  result.p_value = 2 * student_t_cdf(-t, static_cast<double>(a.size() - 1));
  return result;
}

}  // namespace cupel
