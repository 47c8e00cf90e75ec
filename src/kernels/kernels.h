// The fast inner loops: one table of function pointers a CPU instruction set, plain pointers only.
#pragma once

#include <cstdint>

namespace cupel {

/// Element type of a matrix operand. f16 is IEEE binary16, bf16 the upper half of binary32.
enum class Element : int32_t { f32, f16, bf16 };

/// C[m,n] = A[m,k] · B[k,n] (added to C if `accumulate`, which needs an f32 C). Element (i,j) of an
/// operand stands at i*row_stride + j*col_stride, so a transpose is a swap of strides; C has
/// col_stride 1. Products and sums are fp32: 16-bit operands are converted block by block (exact)
/// and C is rounded once to its type (nearest even, overflow to infinity), as matrix units do up to
/// the order of summation. The order of summation over k depends on k alone, never on m, n or the
/// number of threads.
/// A row with a matrix unit for bf16 may use it where A and B are both bf16. It then takes
/// subnormal elements and sums (below 2^-126) for zero, and adds two products of neighbouring
/// depths to a sum in one instruction, whose inner rounding is the unit's own.
struct GemmArgs {
  int64_t m, n, k;
  const void* a;
  int64_t a_row_stride, a_col_stride;
  Element a_type;
  const void* b;
  int64_t b_row_stride, b_col_stride;
  Element b_type;
  void* c;
  int64_t c_row_stride;
  Element c_type;
  bool accumulate;
};

/// C[m,n] = A[m,k] · B[k,n] in fp32, equal to the bit on every row: an element of C begins at 0, or
/// where it stands if `accumulate`, and the products, each rounded, are added in order of k. For
/// verbs whose bytes must not depend on the machine; the fused multiply-add of `gemm` is given up
/// for it. Element (i,p) of A stands at i*a_row_stride + p*a_col_stride; rows of B and C are
/// contiguous.
struct OrderedProductArgs {
  int64_t m, n, k;
  const float* a;
  int64_t a_row_stride, a_col_stride;
  const float* b;
  int64_t b_row_stride;
  float* c;
  int64_t c_row_stride;
  bool accumulate;
};

/// So many depths of a row or column of 8-bit integers share a scale; the last of them may be
/// fewer.
constexpr int64_t kInt8Group = 128;

/// The right operand of a product of 8-bit integers, as pack_int8 lays it out.
struct Int8Matrix {
  const int8_t* panels;  // int8_panel_bytes(n, k), on a cache line's boundary for speed
  const int32_t* sums;   // [int8_groups(k), int8_cols(n)]: of each column's group
  const float* scales;   // [int8_groups(k), int8_cols(n)]
};

/// C[m,n] = A[m,k] · B[k,n] of 8-bit integers, k at least 1, each group of depths scaled:
/// C(i,j) = sum over groups g of depths, one after the other, of float(sum over p in g of
/// (a(i,p) - a_zero[i,g]) * b(p,j)) * (a_scale[i,g] * b.scales[g,j]), on top of C if `accumulate`.
/// The sum within a group is exact and every rounding the same, so C is equal to the bit on every
/// row of the table, and a row of C depends on its row of A alone.
/// A, a_scale and a_zero are what quantize_rows writes. int8_row_bytes(k) of a row of A, and rows
/// up to a multiple of 16, must be readable; what stands there has no effect.
struct Int8GemmArgs {
  int64_t m, n, k;
  const uint8_t* a;
  int64_t a_row_stride;
  const float* a_scale;   // [m, int8_groups(k)]
  const int32_t* a_zero;  // [m, int8_groups(k)]
  Int8Matrix b;
  float* c;
  int64_t c_row_stride;
  bool accumulate;
};

/// What a code of 4 bits stands for, and how many neighbours of a row share a block of 18 bytes (a
/// binary16 scale, then 16 bytes whose low nibbles are the first half): llama.cpp's IQ4_NL.
inline constexpr int8_t kCb4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr int64_t kCb4Block = 32, kCb4BlockBytes = 18;

/// Weights W[n,k] in 4-bit codes, as pack_cb4 lays them out. Groups of 32, 64, 128, 256 or 512
/// depths share a scale; k is a multiple of the group.
struct Cb4Matrix {
  const uint8_t* codes;    // cb4_code_bytes(n, k), on a cache line's boundary for speed
  const uint16_t* scales;  // cb4_scales(n, k, group), binary16
  int64_t group;
};

/// C[m,n] = A[m,k] · Wᵀ of 8-bit activations and 4-bit weights, both with a scale a group:
/// C(i,j) = sum over groups g of scale(j,g) * a_scale[i,g] * float(sum over p in g of a(i,p) *
/// w(j,p)). The inner sums are exact integers; the outer one begins at 0 and is fp32, a fused
/// multiply-add a group in order: C is equal to the bit on every row of the table, and a row of C
/// depends on its row of A alone. A, a_scale and a_offset are what quantize_signed writes.
struct Cb4GemmArgs {
  int64_t m, n, k;
  const int8_t* a;
  int64_t a_row_stride;
  const float* a_scale;     // m x k / group
  const int32_t* a_offset;  // m x k / group
  Cb4Matrix b;
  float* c;
  int64_t c_row_stride;
};

/// Decoupled weight decay Adam (Loshchilov and Hutter 2019, algorithm 2), as torch.optim.AdamW
/// orders it.
struct AdamWArgs {
  int64_t size;
  float* parameter;
  const float* gradient;
  float* first_moment;
  float* second_moment;
  float gradient_factor;  // multiplied into the gradient first: clipping and unscaling in one pass
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double bias_correction1, bias_correction2;  // 1 - beta^step
};

/// Elements of a moment that share a scale.
inline constexpr int64_t kMomentBlock = 256;

/// AdamW whose moments take a byte an element and a scale a block, the block's largest magnitude
/// (Dettmers et al. 2022, 8-bit Optimizers via Block-wise Quantization). Instead of the paper's
/// dynamic code, 256 values that need a search, the codes are powers, which are computed and reach
/// as far: |m| = scale * (|q| / 127)⁴, v = scale * (q / 255)⁸, so that both sqrt(v) and m are
/// within 2 % at the scale and 10 % three decades below it. A v above 0 never becomes 0, or the
/// next step would divide by epsilon alone.
struct AdamW8Args {
  AdamWArgs step;        // its gradient and moments are not read
  const void* gradient;  // f32 or bf16
  Element gradient_type;
  uint8_t* first_moment;              // q + 128
  uint8_t* second_moment;             // q
  float *first_scale, *second_scale;  // ceil(size / kMomentBlock)
};

/// Causal attention of one (sequence, head): softmax(q·kᵀ·scale)·v, row i sees columns first[i]..i.
struct AttentionArgs {
  int64_t length, qk_dim, v_dim;
  const float *q, *k, *v;  // length x dim, rows q_stride … apart
  int64_t q_stride, k_stride, v_stride;
  const int32_t* first;  // length: first position that row i may see (packed documents); null = 0
  float scale;           // positive
  float* out;            // length x v_dim
  int64_t out_stride;
  float* log_sum_exp;  // length
  // Backward only: gradients, overwritten, with the strides of the tensors they belong to.
  const float* grad_out;
  float *grad_q, *grad_k, *grad_v;
};

/// One sweep of Gibbs sampling over the tokens of some documents (latent Dirichlet allocation,
/// Griffiths and Steyvers 2004), while what is known of terms stands still: token i of a document
/// with the counts n (i left out) gets topic k with a chance proportional to
/// (n[k] + alpha[k]) * (term_topic[term, k] - own[k] * [k is its topic so far]).
/// Topics are padded to a multiple of kTopicLanes with alpha 0 and term_topic 0; every other
/// element, and term_topic less own, is positive.
struct TopicSweepArgs {
  int64_t documents;
  const int64_t* first;    // documents + 1: where a document's tokens begin, the last one's end
  const int32_t* terms;    // a token each: row of term_topic
  uint16_t* topics;        // a token each: its topic, overwritten
  const uint32_t* random;  // a token each: 32 random bits, of which 24 are used
  int64_t padded_topics;   // at most kMaxTopics
  const float* term_topic;
  const float* alpha;
  const float* own;  // what the token itself adds to term_topic; 0 where it adds nothing
};
inline constexpr int64_t kTopicLanes = 16, kMaxTopics = 256;

/// gelu: x·Φ(x), Φ the normal distribution function (Hendrycks and Gimpel 2016, exact form).
enum class Activation : int32_t { none, gelu };

/// Every slot is single-threaded; the caller splits the work. Pointers need no alignment; operands
/// do not overlap unless a slot says so. An empty slot takes the next slower row's entry.
struct Kernels {
  const char* name;

  /// See GemmArgs. `workspace` holds gemm_workspace_bytes() bytes, 64-byte aligned, one a thread.
  void (*gemm)(const GemmArgs& args, void* workspace) = nullptr;

  /// See OrderedProductArgs.
  void (*ordered_product)(const OrderedProductArgs& args) = nullptr;

  /// See Int8GemmArgs.
  void (*gemm_int8)(const Int8GemmArgs& args) = nullptr;

  /// Each kInt8Group elements of a row as 8-bit integers, 255 steps from the group's least to its
  /// largest element, 0 among them: x is near (y - zero) * scale, with scale = (max - min) / 255,
  /// zero = round(-min / scale), y = round(x / scale) + zero, 255 at most; / scale is
  /// * (255 / (max - min)), rounding to nearest even. A group within 2^-100 becomes zeros of scale
  /// 0, one with NaN or infinity zeros of scale NaN. Rows x_stride and y_stride apart; scale and
  /// zero are [rows, int8_groups(cols)]. Equal to the bit on every row of the table.
  void (*quantize_rows)(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                        float* scale, int32_t* zero, int64_t rows, int64_t cols) = nullptr;

  /// See Cb4GemmArgs.
  void (*gemm_cb4)(const Cb4GemmArgs& args) = nullptr;

  /// Each group of a row as integers of -127 to 127: x is near y * scale, with scale = max|x| / 127
  /// and y = x * (127 / max|x|) rounded to nearest even. A group within 2^-100 becomes zeros of
  /// scale 0, one with NaN or infinity zeros of scale NaN. offset = -128 * the sum of y over the
  /// group, what a product with (weight + 128) has too much. scale and offset are [rows, cols /
  /// group]; group divides cols. Rows x_stride and y_stride apart. Equal to the bit on every row.
  void (*quantize_signed)(const float* x, int64_t x_stride, int8_t* y, int64_t y_stride,
                          float* scale, int32_t* offset, int64_t group, int64_t rows,
                          int64_t cols) = nullptr;

  /// f32 → 16 bit (nearest even, overflow to infinity, NaN stays NaN) and back (exact).
  void (*to_16bit)(const float* x, void* y, Element type, int64_t size) = nullptr;
  void (*from_16bit)(const void* x, Element type, float* y, int64_t size) = nullptr;

  /// One AdamW step in place.
  void (*adamw)(const AdamWArgs& args) = nullptr;
  /// The same with moments of a byte: read, one step in floats, rounded to the nearest code.
  void (*adamw8)(const AdamW8Args& args) = nullptr;

  /// Sum of squares in double, eight interleaved partial sums on every row. Finite exactly if every
  /// x is: this and AdamWArgs::gradient_factor are the loss scaler's check and unscaling
  /// (torch._amp_foreach_non_finite_check_and_unscale_) without a pass of their own.
  double (*sum_of_squares)(const float* x, int64_t size) = nullptr;

  /// y[r,:] = x[r,:] * inv_rms[r] * weight, inv_rms[r] = 1/sqrt(mean(x²) + epsilon). x has x_stride
  /// between rows.
  void (*rms_norm)(const float* x, int64_t x_stride, const float* weight, float epsilon, float* y,
                   float* inv_rms, int64_t rows, int64_t cols) = nullptr;
  /// grad_x[r,:] overwritten (x_stride between rows); grad_weight[cols] added to.
  void (*rms_norm_backward)(const float* x, int64_t x_stride, const float* weight,
                            const float* inv_rms, const float* grad_y, float* grad_x,
                            float* grad_weight, int64_t rows, int64_t cols) = nullptr;

  /// y[r,:] = (x[r,:] + add - mean) / sqrt(variance + epsilon) * weight + bias, mean and variance
  /// those of the row x[r,:] + add (Ba et al. 2016). y may be x.
  void (*layer_norm)(const float* x, const float* add, const float* weight, const float* bias,
                     float epsilon, float* y, int64_t rows, int64_t cols) = nullptr;

  /// y[r,:] = activation(x[r,:] + bias), rounded to y's type.
  void (*add_bias)(const float* x, const float* bias, Activation activation, void* y,
                   Element y_type, int64_t rows, int64_t cols) = nullptr;

  /// y[r,:] = softmax(x[r,:] * scale), rounded to y's type; scale is positive, x is overwritten.
  /// Rows x_stride and y_stride elements apart.
  void (*softmax)(float* x, int64_t x_stride, float scale, void* y, Element y_type,
                  int64_t y_stride, int64_t rows, int64_t cols) = nullptr;

  /// y[r,:] = silu(x[r, :cols]) * x[r, cols:]; x rows x 2·cols.
  void (*swiglu)(const float* x, float* y, int64_t rows, int64_t cols) = nullptr;
  void (*swiglu_backward)(const float* x, const float* grad_y, float* grad_x, int64_t rows,
                          int64_t cols) = nullptr;

  /// Rotates pairs (2i, 2i+1) if interleaved, else (i, i + cols/2), of each row by the angle whose
  /// cosine and sine stand in the tables (rows x cols/2). sign -1 is the inverse rotation
  /// (backward). May be in place.
  void (*rope)(const float* x, int64_t x_stride, const float* cosine, const float* sine, float sign,
               int32_t interleaved, float* y, int64_t y_stride, int64_t rows,
               int64_t cols) = nullptr;

  /// workspace of both: attention_workspace_bytes(length, …) bytes.
  void (*attention)(const AttentionArgs& args, void* workspace) = nullptr;
  void (*attention_backward)(const AttentionArgs& args, void* workspace) = nullptr;

  /// For each row: loss[r] = logsumexp(logits[r]) - logits[r, label] and logits overwritten by
  /// (softmax - onehot) * grad_scale. A negative label gives loss 0 and a zero row.
  void (*cross_entropy)(float* logits, const int64_t* labels, float grad_scale, float* loss,
                        int64_t rows, int64_t cols) = nullptr;

  /// See TopicSweepArgs. Every row draws the same topics: chances are summed in kTopicLanes lanes,
  /// then over the lanes, within quarters by distances 1 and 2, then over quarters likewise.
  void (*topic_sweep)(const TopicSweepArgs& args) = nullptr;

  /// MinHash (Broder 1997) by multiply-shift (Dietzfelbinger et al. 1997):
  /// minima[i] = min over j of ((factors[i] * hashes[j] + offsets[i]) mod 2^64) >> 32, i < count;
  /// 2^32 - 1 for no hash. hashes: size; factors (odd), offsets, minima: count.
  void (*minhash)(const uint64_t* hashes, int64_t size, const uint64_t* factors,
                  const uint64_t* offsets, uint32_t* minima, int64_t count) = nullptr;
};

/// Bytes, of which every call of `gemm` may need all; each thread brings its own.
int64_t gemm_workspace_bytes();
/// Bytes for one head of `length` positions, enough for both passes.
int64_t attention_workspace_bytes(int64_t length, int64_t qk_dim, int64_t v_dim);

/// Bytes between rows of a left operand of gemm_int8: k rounded up to an odd number of cache lines,
/// so that the rows of a tile spread over all sets of L1.
int64_t int8_row_bytes(int64_t k);
/// n rounded up to whole panels.
int64_t int8_cols(int64_t n);
/// Groups of a row or column of k.
constexpr int64_t int8_groups(int64_t k) { return (k + kInt8Group - 1) / kInt8Group; }
int64_t int8_panel_bytes(int64_t n, int64_t k);
/// Quantises and lays out Bᵀ[n,k], for every row of the table alike: each group of a column of B
/// becomes integers of -127 to 127, rounded to nearest even, times a scale of max|group| / 127; one
/// with NaN or infinity zeros of scale NaN. panels, sums, scales: see Int8Matrix, overwritten;
/// columns past n become zeros.
void pack_int8(const float* transposed, int64_t n, int64_t k, int8_t* panels, int32_t* sums,
               float* scales);

int64_t cb4_code_bytes(int64_t n, int64_t k);
int64_t cb4_scales(int64_t n, int64_t k, int64_t group);
/// Lays out IQ4_NL blocks of W[n,k], row after row, for every row of the table alike; the blocks of
/// a group must have one scale, of which the first is taken. Rows past n become zeros. codes,
/// scales: see Cb4Matrix, overwritten.
void pack_cb4(const void* blocks, int64_t n, int64_t k, int64_t group, uint8_t* codes,
              uint16_t* scales);

/// The row in use: the best this CPU has, or the one that CUPEL_ISA names.
/// Throws Error{config} if CUPEL_ISA names an unknown or unsupported row.
const Kernels& kernels();

}  // namespace cupel
