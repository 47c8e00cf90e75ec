// How often each class was answered for each: accuracy, precision, recall, F1.
#pragma once

#include <cstdint>
#include <vector>

namespace cupel {

/// Of one class against all others. A ratio whose divisor is 0 is 0.
struct ClassScore {
  int64_t expected = 0, answered = 0, right = 0;  // rows
  double precision() const;
  double recall() const;
  double f1() const;
};

/// Pairs of the class expected and the class answered, both in 0 … classes - 1.
class Confusion {
 public:
  explicit Confusion(std::size_t classes) : scores_(classes) {}

  void add(int64_t expected, int64_t answered);

  int64_t rows() const { return rows_; }
  int64_t right() const { return right_; }
  /// 0 without a row.
  double accuracy() const;
  /// Mean of the F1 of every class that was expected or answered at least once; 0 without a row.
  double macro_f1() const;
  const std::vector<ClassScore>& scores() const { return scores_; }

 private:
  std::vector<ClassScore> scores_;
  int64_t rows_ = 0, right_ = 0;
};

}  // namespace cupel
