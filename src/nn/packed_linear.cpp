#include "nn/packed_linear.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "base/error.h"
#include "data/cb4.h"

namespace cupel::nn {
namespace {

constexpr int64_t kLineBytes = sizeof(CacheLine);
// data/ and kernels/ do not see each other, and mean the same format.
static_assert(std::ranges::equal(kCb4Values, cb4::kValues) && kCb4Block == cb4::kBlock &&
              kCb4BlockBytes == cb4::kBlockBytes);

int64_t lines_of(int64_t bytes) { return (bytes + kLineBytes - 1) / kLineBytes; }

PackedInt8 pack(const std::vector<float>& weight, int64_t out, int64_t in) {
  PackedInt8 result;
  result.scales.resize(static_cast<std::size_t>(int8_groups(in) * int8_cols(out)));
  result.sums.resize(result.scales.size());
  result.panels.resize(static_cast<std::size_t>(int8_panel_bytes(out, in) / kLineBytes));
  pack_int8(weight.data(), out, in, reinterpret_cast<int8_t*>(result.panels.data()),
            result.sums.data(), result.scales.data());
  return result;
}

}  // namespace

PackedLinear make_linear(const std::vector<float>& weight, std::vector<float> bias, int64_t in,
                         const NumberFormat& format, const std::string& where) {
  const auto out = static_cast<int64_t>(bias.size());
  CUPEL_ASSERT(static_cast<int64_t>(weight.size()) == out * in);
  if (format.linear == LinearFormat::cb4) {
    std::vector<std::byte> blocks(static_cast<std::size_t>(out * cb4::row_bytes(in)));
    ThreadPool here(1);
    cb4::quantise({weight.data(), out, in, in}, {}, format.group, blocks.data(), here, where);
    return make_linear_cb4(blocks.data(), std::move(bias), in, format.group);
  }
  PackedLinear result;
  result.out = out;
  result.in = in;
  result.bias = std::move(bias);
  if (format.linear == LinearFormat::int8) {
    result.int8 = pack(weight, out, in);
    return result;
  }
  result.weight.resize(weight.size() * (format.element == Element::f32 ? 4 : 2));
  if (format.element == Element::f32) {
    std::memcpy(result.weight.data(), weight.data(), result.weight.size());
  } else {
    kernels().to_16bit(weight.data(), result.weight.data(), format.element,
                       static_cast<int64_t>(weight.size()));
  }
  return result;
}

PackedLinear make_linear_cb4(const std::byte* blocks, std::vector<float> bias, int64_t in,
                             int64_t group) {
  PackedLinear result;
  result.out = static_cast<int64_t>(bias.size());
  result.in = in;
  result.bias = std::move(bias);
  result.cb4.group = group;
  result.cb4.codes.resize(static_cast<std::size_t>(lines_of(cb4_code_bytes(result.out, in))));
  result.cb4.scales.resize(static_cast<std::size_t>(cb4_scales(result.out, in, group)));
  pack_cb4(blocks, result.out, in, group, reinterpret_cast<uint8_t*>(result.cb4.codes.data()),
           result.cb4.scales.data());
  return result;
}

void LinearInput::bind(const NumberFormat& format, const float* x, int64_t rows, int64_t cols) {
  format_ = format;
  x_ = x;
  cols_ = cols;
  if (format.linear == LinearFormat::element && format.element == Element::f32) return;
  const int64_t whole = (rows + 15) / 16 * 16;  // gemm_int8 reads tiles of 16 rows
  if (format.linear == LinearFormat::element) {
    row_bytes_ = 2 * cols;
  } else {
    row_bytes_ = int8_row_bytes(cols);
    const bool int8 = format.linear == LinearFormat::int8;
    const int64_t groups = int8 ? int8_groups(cols) : cols / format.group;
    room(scales_, whole * groups);
    room(zeros_, whole * groups);
  }
  room(lines_, lines_of(whole * row_bytes_));
}

void LinearInput::take(int64_t row, int64_t rows) {
  const float* x = x_ + row * cols_;
  std::byte* to = reinterpret_cast<std::byte*>(lines_.data()) + row * row_bytes_;
  if (format_.linear == LinearFormat::int8) {
    const int64_t first = row * int8_groups(cols_);
    kernels().quantize_rows(x, cols_, reinterpret_cast<uint8_t*>(to), row_bytes_,
                            scales_.data() + first, zeros_.data() + first, rows, cols_);
  } else if (format_.linear == LinearFormat::cb4) {
    const int64_t first = row * (cols_ / format_.group);
    kernels().quantize_signed(x, cols_, reinterpret_cast<int8_t*>(to), row_bytes_,
                              scales_.data() + first, zeros_.data() + first, format_.group, rows,
                              cols_);
  } else if (format_.element != Element::f32) {
    kernels().to_16bit(x, to, format_.element, rows * cols_);
  }
}

void* LinearScratch::for_gemm() { return room(workspace, lines_of(gemm_workspace_bytes())); }

void LinearInput::multiply(int64_t row, int64_t rows, const PackedLinear& linear, float* y,
                           int64_t y_stride, bool accumulate, LinearScratch& scratch) const {
  CUPEL_ASSERT(linear.in == cols_ && row % 16 == 0);
  switch (format_.linear) {
    case LinearFormat::element:
      return multiply_element(row, rows, linear, y, y_stride, accumulate, scratch);
    case LinearFormat::int8:
      return kernels().gemm_int8(
          {rows, linear.out, linear.in,
           reinterpret_cast<const uint8_t*>(lines_.data()) + row * row_bytes_, row_bytes_,
           scales_.data() + row * int8_groups(cols_), zeros_.data() + row * int8_groups(cols_),
           linear.int8.matrix(), y, y_stride, accumulate});
    case LinearFormat::cb4:
      return multiply_cb4(row, rows, linear, y, y_stride, accumulate, scratch);
  }
}

void LinearInput::multiply_element(int64_t row, int64_t rows, const PackedLinear& linear, float* y,
                                   int64_t y_stride, bool accumulate,
                                   LinearScratch& scratch) const {
  const void* x = format_.element == Element::f32
                      ? static_cast<const void*>(x_ + row * cols_)
                      : reinterpret_cast<const std::byte*>(lines_.data()) + row * row_bytes_;
  const GemmArgs args = {rows,
                         linear.out,
                         linear.in,  //
                         x,
                         linear.in,
                         1,
                         format_.element,  //
                         linear.weight.data(),
                         1,
                         linear.in,
                         format_.element,  //
                         y,
                         y_stride,
                         Element::f32,
                         accumulate};
  kernels().gemm(args, scratch.for_gemm());
}

void LinearInput::multiply_cb4(int64_t row, int64_t rows, const PackedLinear& linear, float* y,
                               int64_t y_stride, bool accumulate, LinearScratch& scratch) const {
  float* sums = accumulate ? room(scratch.sums, rows * linear.out) : y;
  const int64_t first = row * (cols_ / format_.group);
  kernels().gemm_cb4({rows, linear.out, linear.in,
                      reinterpret_cast<const int8_t*>(lines_.data()) + row * row_bytes_, row_bytes_,
                      scales_.data() + first, zeros_.data() + first, linear.cb4.matrix(), sums,
                      accumulate ? linear.out : y_stride});
  if (!accumulate) return;
  for (int64_t r = 0; r < rows; ++r, y += y_stride, sums += linear.out)
    for (int64_t i = 0; i < linear.out; ++i) y[i] += sums[i];
}

}  // namespace cupel::nn
