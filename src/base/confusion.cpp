#include "base/confusion.h"

#include "base/error.h"

namespace cupel {
namespace {

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double ClassScore::precision() const { return ratio(right, answered); }
double ClassScore::recall() const { return ratio(right, expected); }
double ClassScore::f1() const { return ratio(2 * right, expected + answered); }

void Confusion::add(int64_t expected, int64_t answered) {
  const auto classes = static_cast<int64_t>(scores_.size());
  CUPEL_ASSERT(expected >= 0 && expected < classes && answered >= 0 && answered < classes);
  ++scores_[static_cast<std::size_t>(expected)].expected;
  ++scores_[static_cast<std::size_t>(answered)].answered;
  ++rows_;
  if (expected != answered) return;
  ++scores_[static_cast<std::size_t>(expected)].right;
  ++right_;
}

double Confusion::accuracy() const { return ratio(right_, rows_); }

double Confusion::macro_f1() const {
  double sum = 0;
  int64_t seen = 0;
  for (const ClassScore& score : scores_) {
    if (score.expected + score.answered == 0) continue;
    sum += score.f1();
    ++seen;
  }
  return seen == 0 ? 0 : sum / static_cast<double>(seen);
}

}  // namespace cupel
