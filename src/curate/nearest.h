// Exact nearest neighbours of unit vectors: a cheap bound rules most pairs out, the rest are
// multiplied whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/spill.h"

namespace cupel::curate {

/// A vector held, and how close it is.
struct Neighbour {
  int64_t vector = -1;  // in the order of add(); -1: none is close enough
  double cosine = 0;
  bool operator==(const Neighbour&) const = default;
};

/// Orthonormal directions Q in which a sample has most of its length: by Cauchy and Schwarz
/// x·y <= Qx·Qy + |x - QᵀQx| |y - QᵀQy|. With the length of the rest as one more element, the right
/// side is a product of short vectors. Of the pairs of 1,500 medical abstracts it leaves 0.05 % at
/// a cosine of 0.85 (0.02 % reach it); balls around the centres of clusters, the textbook's way,
/// leave 82 % with 152 clusters and 99 % with 38: they are so wide that most may touch.
class LeadingDirections {
 public:
  /// None: a vector is its own short form, the bound its cosine.
  LeadingDirections() = default;
  /// Found in `sample`, [any number, dim] row-major, by subspace iteration; none if it is small or
  /// dim is. Whatever they are, the bound holds.
  LeadingDirections(std::span<const float> sample, int64_t dim);

  /// Elements of a short form of vectors of `dim` elements.
  int64_t width(int64_t dim) const { return directions_.empty() ? dim : kDirections + 1; }
  /// Short forms of `vectors`, [n, dim] to [n, width(dim)].
  std::vector<float> shorten(std::span<const float> vectors, int64_t dim, ThreadPool& pool) const;

  static constexpr int64_t kDirections = 63;

 private:
  std::vector<float> directions_;  // [kDirections, dim]
};

/// Unit vectors, most of them in a temporary file where there are many. Every cosine returned is
/// summed in double in a fixed order, so it depends on the two vectors alone; the bound, which the
/// kernel row computes, only saves work. The same for every number of threads.
class NearestVectors {
 public:
  /// Holds at most `memory_bytes` of vectors in memory, the others in `folder`, or where the system
  /// has its temporary files if that is empty.
  NearestVectors(int64_t dim, LeadingDirections leading, int64_t memory_bytes,
                 std::filesystem::path folder, ThreadPool& pool);

  /// vectors: [n, dim], numbered on.
  void add(std::span<const float> vectors);
  int64_t size() const { return size_; }

  /// For each query the vector with the highest cosine, the first of several, if that is `least` or
  /// more. queries: [n, dim].
  std::vector<Neighbour> nearest(std::span<const float> queries, double least);
  /// For each of `vectors` those before it among them with a cosine of `least` or more, in order.
  std::vector<std::vector<Neighbour>> close_before(std::span<const float> vectors, double least);

  int64_t pairs() const { return pairs_; }        // asked about
  int64_t compared() const { return compared_; }  // of these, multiplied whole

 private:
  struct Block {
    int64_t short_forms, vectors;  // numbers in the store; the same if vectors are their own forms
  };
  /// Of the block `number`, or of the open one after the last; `room` holds what must be read.
  std::span<const float> short_forms(std::size_t number, std::vector<float>& room) const;
  /// One vector; `room` holds it if it must be read.
  const float* vector(std::size_t block, int64_t place, std::vector<float>& room) const;

  int64_t dim_, width_;
  LeadingDirections leading_;
  ThreadPool& pool_;
  BlockStore store_;
  std::vector<Block> blocks_{};               // of kBlockVectors each
  std::vector<float> open_{}, open_short_{};  // the last vectors, which fill no block yet
  int64_t size_ = 0, pairs_ = 0, compared_ = 0;
};

}  // namespace cupel::curate
