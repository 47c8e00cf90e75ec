#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

/// Where the parts of every head lie: head h of K or V begins at column h * step.
struct Heads {
  AttentionShape shape;
  int64_t batch = 0, length = 0;
  Matrix q;                                            // [T, heads * (nope + rotary)]
  Matrix k_nope, k_rotary, v;                          // [T, …]
  int64_t nope_step = 0, rotary_step = 0, v_step = 0;  // rotary_step 0: one key for all heads
  const float *cosine = nullptr, *sine = nullptr;
  bool tables_by_token = false;
  const int32_t* first = nullptr;

  int64_t width() const { return shape.nope + shape.rotary; }
  int64_t table_at(int64_t b) const {
    return tables_by_token ? b * length * (shape.rotary / 2) : 0;
  }
};

/// The rows of one sequence, `cols` columns from `col` on, as fp32 into `to`.
void load_columns(const Matrix& from, int64_t b, int64_t length, int64_t col, int64_t cols,
                  float* to, int64_t to_stride) {
  const Matrix part = from.row_range(b * length, length).col_range(col, cols);
  for (int64_t r = 0; r < length; ++r) {
    const void* row = part.row_range(r, 1).data;
    if (part.type == Element::f32) {
      std::memcpy(to + r * to_stride, row, static_cast<std::size_t>(cols) * sizeof(float));
    } else {
      kernels().from_16bit(row, part.type, to + r * to_stride, cols);
    }
  }
}

void store_columns(const float* from, int64_t from_stride, const Matrix& to, int64_t b,
                   int64_t length, int64_t col, int64_t cols) {
  const Matrix part = to.row_range(b * length, length).col_range(col, cols);
  for (int64_t r = 0; r < length; ++r) {
    void* row = part.row_range(r, 1).data;
    if (part.type == Element::f32) {
      std::memcpy(row, from + r * from_stride, static_cast<std::size_t>(cols) * sizeof(float));
    } else {
      kernels().to_16bit(from + r * from_stride, row, part.type, cols);
    }
  }
}

void rotate(const Heads& heads, int64_t b, float sign, float* x, int64_t stride) {
  const int64_t at = heads.table_at(b);
  kernels().rope(x, stride, heads.cosine + at, heads.sine + at, sign, heads.shape.interleaved, x,
                 stride, heads.length, heads.shape.rotary);
}

/// q, k and v of head h in sequence b as the kernel wants them.
struct HeadBuffers {
  float *q, *k, *v;

  HeadBuffers(const Heads& heads, Scratch& scratch)
      : q(scratch.floats(heads.length * heads.width())),
        k(scratch.floats(heads.length * heads.width())),
        v(scratch.floats(heads.length * heads.shape.value)) {}

  void load(const Heads& heads, int64_t b, int64_t h) const {
    const int64_t nope = heads.shape.nope, rotary = heads.shape.rotary, width = heads.width();
    const int64_t kv = h / (heads.shape.heads / heads.shape.key_value_heads);
    load_columns(heads.q, b, heads.length, h * width, width, q, width);
    rotate(heads, b, 1, q + nope, width);
    if (nope > 0) load_columns(heads.k_nope, b, heads.length, kv * heads.nope_step, nope, k, width);
    load_columns(heads.k_rotary, b, heads.length, kv * heads.rotary_step, rotary, k + nope, width);
    rotate(heads, b, 1, k + nope, width);
    load_columns(heads.v, b, heads.length, kv * heads.v_step, heads.shape.value, v,
                 heads.shape.value);
  }
};

AttentionArgs arguments(const Heads& heads, int64_t b, const HeadBuffers& buffers) {
  AttentionArgs args{};
  args.length = heads.length;
  args.qk_dim = args.q_stride = args.k_stride = heads.width();
  args.v_dim = args.v_stride = args.out_stride = heads.shape.value;
  args.q = buffers.q;
  args.k = buffers.k;
  args.v = buffers.v;
  args.first = heads.first != nullptr ? heads.first + b * heads.length : nullptr;
  args.scale = static_cast<float>(heads.shape.scale);
  return args;
}

void* kernel_workspace(const Heads& heads, Scratch& scratch) {
  return scratch.bytes(attention_workspace_bytes(heads.length, heads.width(), heads.shape.value));
}

/// out [T, heads * value]; log_sum_exp [batch, heads, length].
void attend(const Heads& heads, const Matrix& out, float* log_sum_exp) {
  const int64_t value = heads.shape.value;
  at::parallel_for(0, heads.batch * heads.shape.heads, 1, [&](int64_t begin, int64_t end) {
    Scratch scratch;
    const HeadBuffers buffers(heads, scratch);
    float* result = scratch.floats(heads.length * value);
    void* workspace = kernel_workspace(heads, scratch);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / heads.shape.heads, h = item % heads.shape.heads;
      buffers.load(heads, b, h);
      AttentionArgs args = arguments(heads, b, buffers);
      args.out = result;
      args.log_sum_exp = log_sum_exp + item * heads.length;
      kernels().attention(args, workspace);
      store_columns(result, value, out, b, heads.length, h * value, value);
    }
  });
}

/// Where the gradients go; laid out as the matrices of `Heads`. k_rotary is [key-value heads, T,
/// rotary] fp32 if one key serves all heads.
struct HeadGradients {
  Matrix q, k_nope, k_rotary, v;
};

void add(const float* x, float* sum, int64_t size) {
  for (int64_t i = 0; i < size; ++i) sum[i] += x[i];
}

/// Gradients of one key-value head in one sequence, over the query heads that share it.
void attend_backward_head(const Heads& heads, int64_t b, int64_t kv, const Matrix& out,
                          const float* log_sum_exp, const Matrix& grad_out,
                          const HeadGradients& grads) {
  const int64_t group = heads.shape.heads / heads.shape.key_value_heads, length = heads.length;
  const int64_t width = heads.width(), value = heads.shape.value, nope = heads.shape.nope;
  Scratch scratch;
  const HeadBuffers buffers(heads, scratch);
  void* workspace = kernel_workspace(heads, scratch);
  float* result = scratch.floats(length * value);
  float* grad_result = scratch.floats(length * value);
  float* grad_q = scratch.floats(length * width);
  float* grad_k = scratch.floats(2 * length * width);
  float* grad_v = scratch.floats(2 * length * value);
  for (int64_t i = 0; i < group; ++i) {
    const int64_t h = kv * group + i;
    buffers.load(heads, b, h);
    load_columns(out, b, length, h * value, value, result, value);
    load_columns(grad_out, b, length, h * value, value, grad_result, value);
    AttentionArgs args = arguments(heads, b, buffers);
    args.out = result;
    args.grad_out = grad_result;
    args.log_sum_exp = const_cast<float*>(log_sum_exp) + (b * heads.shape.heads + h) * length;
    args.grad_q = grad_q;
    args.grad_k = grad_k + (i > 0 ? length * width : 0);
    args.grad_v = grad_v + (i > 0 ? length * value : 0);
    kernels().attention_backward(args, workspace);
    if (i > 0) {
      add(args.grad_k, grad_k, length * width);
      add(args.grad_v, grad_v, length * value);
    }
    rotate(heads, b, -1, grad_q + nope, width);
    store_columns(grad_q, width, grads.q, b, length, h * width, width);
  }
  if (nope > 0) store_columns(grad_k, width, grads.k_nope, b, length, kv * heads.nope_step, nope);
  rotate(heads, b, -1, grad_k + nope, width);
  const bool shared = heads.rotary_step == 0;
  const Matrix& rotary = grads.k_rotary;
  const Matrix target =
      shared ? rotary.row_range(kv * heads.batch * length, heads.batch * length) : rotary;
  store_columns(grad_k + nope, width, target, b, length, shared ? 0 : kv * heads.rotary_step,
                heads.shape.rotary);
  store_columns(grad_v, value, grads.v, b, length, kv * heads.v_step, value);
}

void attend_backward(const Heads& heads, const Matrix& out, const float* log_sum_exp,
                     const Matrix& grad_out, const HeadGradients& grads) {
  const int64_t kv_heads = heads.shape.key_value_heads;
  at::parallel_for(0, heads.batch * kv_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item)
      attend_backward_head(heads, item / kv_heads, item % kv_heads, out, log_sum_exp, grad_out,
                           grads);
  });
}

Heads heads_of(const AttentionShape& shape, const Positions& positions) {
  Heads heads;
  heads.shape = shape;
  heads.batch = positions.batch;
  heads.length = positions.length;
  heads.cosine = positions.cosine.const_data_ptr<float>();
  heads.sine = positions.sine.const_data_ptr<float>();
  heads.tables_by_token = positions.cosine.size(0) != positions.length;
  if (positions.first.defined()) heads.first = positions.first.const_data_ptr<int32_t>();
  return heads;
}

at::Tensor empty_log_sum_exp(const Heads& heads) {
  return at::empty({heads.batch, heads.shape.heads, heads.length}, at::kFloat);
}

/// What both attentions keep beside their tensors.
struct KeptAttention {
  AttentionShape shape;
  Positions positions;
};

Heads full_heads(const KeptAttention& attention, const at::Tensor& q, const at::Tensor& k,
                 const at::Tensor& v) {
  Heads heads = heads_of(attention.shape, attention.positions);
  const int64_t nope = attention.shape.nope;
  heads.q = matrix_of(q);
  heads.k_nope = matrix_of(k);
  heads.k_rotary = matrix_of(k).col_range(nope, k.size(1) - nope);
  heads.v = matrix_of(v);
  heads.nope_step = heads.rotary_step = heads.width();
  heads.v_step = attention.shape.value;
  return heads;
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const KeptAttention& attention) {
    const Heads heads = full_heads(attention, q, k, v);
    at::Tensor out = empty(q.size(0), heads.shape.heads * heads.shape.value, q.scalar_type());
    const at::Tensor log_sum_exp = empty_log_sum_exp(heads);
    attend(heads, matrix_of(out), log_sum_exp.mutable_data_ptr<float>());
    context->save_for_backward({q, k, v, out, log_sum_exp});
    keep(context, attention);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const auto& attention = kept<KeptAttention>(context);
    const Heads heads = full_heads(attention, saved[0], saved[1], saved[2]);
    const at::Tensor grad_q = at::empty_like(saved[0]), grad_k = at::empty_like(saved[1]);
    const at::Tensor grad_v = at::empty_like(saved[2]), grad_out = grads[0].contiguous();
    const Heads to = full_heads(attention, grad_q, grad_k, grad_v);
    attend_backward(heads, matrix_of(saved[3]), saved[4].const_data_ptr<float>(),
                    matrix_of(grad_out), {to.q, to.k_nope, to.k_rotary, to.v});
    return {grad_q, grad_k, grad_v, {}};
  }
};

Heads latent_heads(const KeptAttention& attention, const at::Tensor& q, const at::Tensor& latent,
                   const at::Tensor& expanded) {
  Heads heads = heads_of(attention.shape, attention.positions);
  const int64_t rotary = attention.shape.rotary, nope = attention.shape.nope;
  heads.q = matrix_of(q);
  heads.k_nope = matrix_of(expanded);
  heads.k_rotary = matrix_of(latent).col_range(latent.size(1) - rotary, rotary);
  heads.v = matrix_of(expanded).col_range(nope, expanded.size(1) - nope);
  heads.nope_step = heads.v_step = nope + attention.shape.value;
  return heads;
}

/// Keys and values as kv_b has expanded them; one rotary key for all heads.
struct ExpandedAttention : torch::autograd::Function<ExpandedAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q,
                            const at::Tensor& rotary_key, const at::Tensor& expanded,
                            const KeptAttention& attention) {
    const Heads heads = latent_heads(attention, q, rotary_key, expanded);
    at::Tensor out = empty(q.size(0), heads.shape.heads * heads.shape.value, q.scalar_type());
    const at::Tensor log_sum_exp = empty_log_sum_exp(heads);
    attend(heads, matrix_of(out), log_sum_exp.mutable_data_ptr<float>());
    context->save_for_backward({q, rotary_key, expanded, out, log_sum_exp});
    keep(context, attention);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &rotary_key = saved[1], &expanded = saved[2];
    const auto& attention = kept<KeptAttention>(context);
    const Heads heads = latent_heads(attention, q, rotary_key, expanded);
    const int64_t tokens = q.size(0), rotary = heads.shape.rotary;
    const at::Tensor grad_q = at::empty_like(q), grad_expanded = at::empty_like(expanded);
    const at::Tensor grad_rotary = empty(heads.shape.heads * tokens, rotary, at::kFloat);
    const at::Tensor grad_out = grads[0].contiguous();
    const Heads to = latent_heads(attention, grad_q, rotary_key, grad_expanded);
    attend_backward(heads, matrix_of(saved[3]), saved[4].const_data_ptr<float>(),
                    matrix_of(grad_out), {to.q, to.k_nope, matrix_of(grad_rotary), to.v});
    const at::Tensor shared = grad_rotary.view({heads.shape.heads, tokens, rotary}).sum(0);
    return {grad_q, shared.to(rotary_key.scalar_type()), grad_expanded, {}};
  }
};

struct LatentAttention : torch::autograd::Function<LatentAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const at::Tensor& kv_b,
                            const at::Tensor& kv_b_operand, double epsilon,
                            const KeptAttention& attention) {
    const int64_t tokens = q.size(0), rank = kv_b.size(1);
    const at::Tensor compressed = empty(tokens, rank, q.scalar_type());
    const at::Tensor inv_rms = at::empty({tokens}, at::kFloat);
    norm_forward(matrix_of(latent).col_range(0, rank), {}, norm_weight.const_data_ptr<float>(),
                 static_cast<float>(epsilon), {}, matrix_of(compressed),
                 inv_rms.mutable_data_ptr<float>());
    const at::Tensor expanded = empty(tokens, kv_b.size(0), q.scalar_type());
    multiply(matrix_of(compressed), matrix_of(kv_b_operand).transposed(), matrix_of(expanded));
    const Heads heads = latent_heads(attention, q, latent, expanded);
    at::Tensor out = empty(tokens, heads.shape.heads * heads.shape.value, q.scalar_type());
    const at::Tensor log_sum_exp = empty_log_sum_exp(heads);
    attend(heads, matrix_of(out), log_sum_exp.mutable_data_ptr<float>());
    context->save_for_backward(
        {q, latent, norm_weight, kv_b_operand, compressed, inv_rms, expanded, out, log_sum_exp});
    keep(context, attention);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &latent = saved[1], &kv_b = saved[3], &compressed = saved[4];
    const auto& attention = kept<KeptAttention>(context);
    const Heads heads = latent_heads(attention, q, latent, saved[6]);
    const int64_t tokens = q.size(0), rank = kv_b.size(1), rotary = heads.shape.rotary;
    const at::Tensor grad_q = at::empty_like(q), grad_latent = at::empty_like(latent);
    const at::Tensor grad_expanded = at::empty_like(saved[6]), grad_out = grads[0].contiguous();
    const at::Tensor grad_rotary = empty(heads.shape.heads * tokens, rotary, at::kFloat);
    const Heads to = latent_heads(attention, grad_q, grad_latent, grad_expanded);
    attend_backward(heads, matrix_of(saved[7]), saved[8].const_data_ptr<float>(),
                    matrix_of(grad_out), {to.q, to.k_nope, matrix_of(grad_rotary), to.v});
    grad_latent.narrow(1, rank, rotary)
        .copy_(grad_rotary.view({heads.shape.heads, tokens, rotary}).sum(0));
    const at::Tensor grad_compressed = at::empty_like(compressed);
    multiply(matrix_of(grad_expanded), matrix_of(kv_b), matrix_of(grad_compressed));
    at::Tensor grad_norm;
    norm_backward(matrix_of(latent).col_range(0, rank), saved[2].const_data_ptr<float>(),
                  saved[5].const_data_ptr<float>(), matrix_of(grad_compressed), nullptr,
                  matrix_of(grad_latent).col_range(0, rank), grad_norm);
    at::Tensor grad_kv_b;
    if (context->needs_input_grad(3)) grad_kv_b = weight_gradient(grad_expanded, compressed);
    return {grad_q, grad_latent, grad_norm, grad_kv_b, {}, {}, {}};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape, const Positions& positions) {
  if (!has_kernels(q) || positions.cosine.scalar_type() != at::kFloat)
    return formulas::attention(q, k, v, shape, positions);
  return Attention::apply(q.contiguous(), k.contiguous(), v.contiguous(),
                          KeptAttention{shape, positions});
}

at::Tensor expanded_attention(const at::Tensor& q, const at::Tensor& rotary_key,
                              const at::Tensor& expanded, const AttentionShape& shape,
                              const Positions& positions) {
  if (!has_kernels(q) || positions.cosine.scalar_type() != at::kFloat)
    return formulas::expanded_attention(q, rotary_key, expanded, shape, positions);
  return ExpandedAttention::apply(q.contiguous(), rotary_key.contiguous(), expanded.contiguous(),
                                  KeptAttention{shape, positions});
}

at::Tensor latent_attention(const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const Weight& kv_b,
                            const AttentionShape& shape, double norm_epsilon,
                            const Positions& positions) {
  if (!runs_on_kernels(q, kv_b))
    return formulas::latent_attention(q, latent, norm_weight, kv_b, shape, norm_epsilon, positions);
  return LatentAttention::apply(q.contiguous(), latent.contiguous(), norm_weight, kv_b.master,
                                kv_b.operand, norm_epsilon, KeptAttention{shape, positions});
}

}  // namespace cupel::nn
