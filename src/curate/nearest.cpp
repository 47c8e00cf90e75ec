#include "curate/nearest.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/kernels.h"

namespace cupel::curate {
namespace {

constexpr int64_t kBlockVectors = 2048;  // read from the store at a time
constexpr int64_t kQueries = 64;         // a thread's share of a block
constexpr int64_t kColumns = 512;        // vectors of a block at a time: their bounds stay in L2
constexpr int kIterations = 6;

/// What a thread works in.
struct Scratch {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> workspace{static_cast<std::size_t>(gemm_workspace_bytes()) / sizeof(Line) + 1};
  std::vector<float> bounds = std::vector<float>(kQueries * kColumns);
  std::vector<float> vector;
  int64_t compared = 0;
};

std::size_t index(int64_t value) { return static_cast<std::size_t>(value); }

/// c[m,n] = a[m,k] · bᵀ, b being [n,k]
void multiply(const float* a, int64_t m, const float* b, int64_t n, int64_t k, float* c,
              Scratch& scratch) {
  kernels().gemm({m, n, k, a, k, 1, Element::f32, b, 1, k, Element::f32, c, n, Element::f32, false},
                 scratch.workspace.data());
}

/// take(query, place) for queries begin … end and places of `others` whose bound is not below
/// bar(query), which may rise with what is taken. Both are short forms of `width` elements.
template <class Bar, class Take>
void for_each_candidate(const std::vector<float>& queries, int64_t begin, int64_t end,
                        std::span<const float> others, int64_t width, Scratch& scratch,
                        const Bar& bar, const Take& take) {
  const int64_t places = static_cast<int64_t>(others.size()) / width;
  for (int64_t first = 0; first < places; first += kColumns) {
    const int64_t here = std::min(kColumns, places - first);
    multiply(queries.data() + begin * width, end - begin, others.data() + first * width, here,
             width, scratch.bounds.data(), scratch);
    const float* bound = scratch.bounds.data();
    for (int64_t query = begin; query < end; ++query) {
      auto wanted = static_cast<float>(bar(query));
      for (int64_t place = first; place < first + here; ++place) {
        if (*bound++ < wanted) continue;
        ++scratch.compared;
        take(query, place);
        wanted = static_cast<float>(bar(query));
      }
    }
  }
}

double product(const float* a, const float* b, int64_t size) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (int64_t lane = 0; lane < 8; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  }
  for (; i < size; ++i) sums[i % 8] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// What the rounding of fp32 may take from the bound of two vectors of `dim` elements: the usual
/// worst case of a sum of dim products, for each of kDirections + 1 elements of a short form.
double slack_of(int64_t dim) { return 0x1p-24 * static_cast<double>(dim) * 24; }

/// Rows of [n, dim] made orthonormal one after the other (Gram and Schmidt, twice, in double); one
/// that depends on those before it becomes zero.
void make_orthonormal(std::vector<float>& rows, int64_t dim) {
  constexpr double kTooShort = 1e-3;
  std::vector<double> basis;  // of the rows that are done
  for (auto row = rows.begin(); row != rows.end(); row += dim) {
    std::vector<double> x(row, row + dim);
    const auto shorten = [&](double length) {
      for (double& element : x) element = length > 0 ? element / length : 0;
    };
    const auto length = [&] {
      double squares = 0;
      for (const double element : x) squares += element * element;
      return std::sqrt(squares);
    };
    shorten(length());
    for (int round = 0; round < 2; ++round) {
      for (std::size_t at = 0; at < basis.size(); at += x.size()) {
        double dot = 0;
        for (std::size_t i = 0; i < x.size(); ++i) dot += basis[at + i] * x[i];
        for (std::size_t i = 0; i < x.size(); ++i) x[i] -= dot * basis[at + i];
      }
      const double left = length();
      shorten(left > kTooShort ? left : 0);
    }
    basis.insert(basis.end(), x.begin(), x.end());
    std::transform(x.begin(), x.end(), row, [](double e) { return static_cast<float>(e); });
  }
}

}  // namespace

LeadingDirections::LeadingDirections(std::span<const float> sample, int64_t dim) {
  const int64_t count = static_cast<int64_t>(sample.size()) / dim;
  if (dim <= 2 * kDirections || count < kDirections) return;
  Scratch scratch;
  directions_.assign(sample.begin(), sample.begin() + kDirections * dim);
  make_orthonormal(directions_, dim);
  std::vector<float> shares(index(kDirections * count)), sums(directions_.size());
  for (int i = 0; i < kIterations; ++i) {
    // Q ← Q · sampleᵀ · sample, made orthonormal
    multiply(directions_.data(), kDirections, sample.data(), count, dim, shares.data(), scratch);
    kernels().gemm({kDirections, dim, count, shares.data(), count, 1, Element::f32, sample.data(),
                    dim, 1, Element::f32, sums.data(), dim, Element::f32, false},
                   scratch.workspace.data());
    directions_ = sums;
    make_orthonormal(directions_, dim);
  }
}

std::vector<float> LeadingDirections::shorten(std::span<const float> vectors, int64_t dim,
                                              ThreadPool& pool) const {
  if (directions_.empty()) return {vectors.begin(), vectors.end()};
  const int64_t count = static_cast<int64_t>(vectors.size()) / dim, out = width(dim);
  std::vector<float> short_forms(index(count * out));
  pool.parallel_for(count, kColumns, [&](int64_t begin, int64_t end) {
    Scratch scratch;
    std::vector<float> shares(index((end - begin) * kDirections));
    multiply(vectors.data() + begin * dim, end - begin, directions_.data(), kDirections, dim,
             shares.data(), scratch);
    for (int64_t i = begin; i < end; ++i) {
      const float* vector = vectors.data() + i * dim;
      const float* share = shares.data() + (i - begin) * kDirections;
      const double rest = product(vector, vector, dim) - product(share, share, kDirections);
      float* to = std::copy(share, share + kDirections, short_forms.data() + i * out);
      *to = static_cast<float>(std::sqrt(std::max(rest, 0.0)));
    }
  });
  return short_forms;
}

NearestVectors::NearestVectors(int64_t dim, LeadingDirections leading, int64_t memory_bytes,
                               std::filesystem::path folder, ThreadPool& pool)
    : dim_(dim),
      width_(leading.width(dim)),
      leading_(std::move(leading)),
      pool_(pool),
      store_(memory_bytes, std::move(folder)) {}

void NearestVectors::add(std::span<const float> vectors) {
  const std::vector<float> forms = leading_.shorten(vectors, dim_, pool_);
  open_.insert(open_.end(), vectors.begin(), vectors.end());
  if (width_ != dim_) open_short_.insert(open_short_.end(), forms.begin(), forms.end());
  size_ += static_cast<int64_t>(vectors.size()) / dim_;
  const auto put = [&](const std::vector<float>& from, int64_t at, int64_t width) {
    return store_.put(
        std::as_bytes(std::span(from).subspan(index(at * width), index(kBlockVectors * width))));
  };
  const int64_t whole = static_cast<int64_t>(open_.size()) / dim_ / kBlockVectors * kBlockVectors;
  for (int64_t at = 0; at < whole; at += kBlockVectors) {
    const int64_t block = put(open_, at, dim_);
    blocks_.push_back({width_ == dim_ ? block : put(open_short_, at, width_), block});
  }
  open_.erase(open_.begin(), open_.begin() + whole * dim_);
  if (width_ != dim_) open_short_.erase(open_short_.begin(), open_short_.begin() + whole * width_);
}

std::span<const float> NearestVectors::short_forms(std::size_t number,
                                                   std::vector<float>& room) const {
  if (number == blocks_.size()) return width_ == dim_ ? open_ : open_short_;
  room.resize(index(kBlockVectors * width_));
  store_.read(blocks_[number].short_forms, 0, std::as_writable_bytes(std::span(room)));
  return room;
}

const float* NearestVectors::vector(std::size_t block, int64_t place,
                                    std::vector<float>& room) const {
  if (block == blocks_.size()) return open_.data() + place * dim_;
  room.resize(index(dim_));
  store_.read(blocks_[block].vectors, place * dim_ * static_cast<int64_t>(sizeof(float)),
              std::as_writable_bytes(std::span(room)));
  return room.data();
}

std::vector<Neighbour> NearestVectors::nearest(std::span<const float> queries, double least) {
  const int64_t count = static_cast<int64_t>(queries.size()) / dim_;
  const std::vector<float> forms = leading_.shorten(queries, dim_, pool_);
  std::vector<Neighbour> best(index(count), {-1, least});
  std::vector<Scratch> scratch(index((count + kQueries - 1) / kQueries));
  std::vector<float> room;
  for (std::size_t block = 0; block <= blocks_.size(); ++block) {
    const std::span<const float> others = short_forms(block, room);
    const int64_t first = static_cast<int64_t>(block) * kBlockVectors;
    pool_.parallel_for(count, kQueries, [&](int64_t begin, int64_t end) {
      Scratch& mine = scratch[index(begin / kQueries)];
      const auto bar = [&](int64_t query) { return best[index(query)].cosine - slack_of(dim_); };
      const auto take = [&](int64_t query, int64_t place) {
        const float* other =
            width_ == dim_ ? others.data() + place * dim_ : vector(block, place, mine.vector);
        const double cosine = product(queries.data() + query * dim_, other, dim_);
        Neighbour& found = best[index(query)];
        if (cosine > found.cosine || (found.vector < 0 && cosine == found.cosine))
          found = {first + place, cosine};
      };
      for_each_candidate(forms, begin, end, others, width_, mine, bar, take);
    });
  }
  pairs_ += count * size_;
  for (const Scratch& each : scratch) compared_ += each.compared;
  return best;
}

std::vector<std::vector<Neighbour>> NearestVectors::close_before(std::span<const float> vectors,
                                                                 double least) {
  const int64_t count = static_cast<int64_t>(vectors.size()) / dim_;
  const std::vector<float> forms = leading_.shorten(vectors, dim_, pool_);
  std::vector<std::vector<Neighbour>> close(index(count));
  std::vector<Scratch> scratch(index((count + kQueries - 1) / kQueries));
  pool_.parallel_for(count, kQueries, [&](int64_t begin, int64_t end) {
    const auto bar = [&](int64_t) { return least - slack_of(dim_); };
    const auto take = [&](int64_t vector, int64_t earlier) {
      if (earlier >= vector) return;
      const double cosine =
          product(vectors.data() + vector * dim_, vectors.data() + earlier * dim_, dim_);
      if (cosine >= least) close[index(vector)].push_back({earlier, cosine});
    };
    const auto others = std::span(forms).first(index(end * width_));
    for_each_candidate(forms, begin, end, others, width_, scratch[index(begin / kQueries)], bar,
                       take);
  });
  pairs_ += count * (count - 1) / 2;
  for (const Scratch& each : scratch) compared_ += each.compared;
  return close;
}

}  // namespace cupel::curate
