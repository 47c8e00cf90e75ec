#include "augment/embeddings.h"
#include "base/error.h"
#include "nn/batch_nn.h"

namespace cupel::augment {
namespace {

double ms_since(double begin, const Run& run) { return 1000 * (run.seconds() - begin); }

/// Euclidean length of each sequence, [batch, 1, 1].
at::Tensor length_of(const at::Tensor& x) { return x.square().sum({1, 2}, true).sqrt(); }

/// What of a batch moves, and how far.
class Sequences {
 public:
  explicit Sequences(const nn::Batch& batch) {
    CUPEL_ASSERT(batch.embeddings.defined());
    clean_ = batch.embeddings.detach();
    const int64_t length = clean_.size(1);
    mask_ = at::ones({clean_.size(0), length, 1}, clean_.options());
    if (batch.lengths.defined() && batch.lengths.size(0) == clean_.size(0)) {
      const at::Tensor place = at::arange(length, batch.lengths.options()).view({1, length, 1});
      mask_ = (place < batch.lengths.view({-1, 1, 1})).to(clean_.scalar_type());
    }
    length_ = length_of(clean_ * mask_);
    root_count_ = (mask_.sum({1, 2}, true) * clean_.size(2)).clamp_min(1).sqrt();
  }

  /// Uniform in ±1 and zero in padding, a function of the run's seed and the micro-batch.
  at::Tensor draw(const Run& run, int64_t index) const {
    Rng rng = run.stream("augment embeddings", static_cast<uint64_t>(index));
    at::Tensor out = at::empty(clean_.sizes(), at::kFloat);
    float* to = out.mutable_data_ptr<float>();
    for (int64_t i = 0; i < out.numel(); ++i)
      to[i] = static_cast<float>(rng.next_u32() >> 8) * 0x1p-23F - 1;
    return out.to(clean_.options()) * mask_;
  }

  const at::Tensor& clean() const { return clean_; }
  const at::Tensor& mask() const { return mask_; }
  const at::Tensor& length() const { return length_; }  // of the embeddings, [batch, 1, 1]
  at::Tensor root_mean_square() const { return length_ / root_count_; }

 private:
  at::Tensor clean_, mask_;  // [batch, length, width], [batch, length, 1]
  at::Tensor length_, root_count_;
};

at::Tensor leaf_at(const at::Tensor& clean, const at::Tensor& move) {
  return (clean + move).requires_grad_(true);
}

/// FGSM and PGD: where the loss of `batch` is greatest within the box, or near it.
at::Tensor move_in_box(const EmbeddingConfig& config, const Run& run, nn::Batch batch,
                       const nn::LossFunction& loss) {
  const Sequences sequences(batch);
  const at::Tensor unit = sequences.root_mean_square() * sequences.mask();
  const at::Tensor bound = config.epsilon * unit;
  at::Tensor move = at::zeros_like(sequences.clean());
  if (config.method == EmbeddingMethod::pgd) move = sequences.draw(run, batch.index) * bound;
  for (int64_t i = 0; i < config.resolved_steps(); ++i) {
    batch.embeddings = leaf_at(sequences.clean(), move);
    const at::Tensor up = torch::autograd::grad({loss(batch)}, {batch.embeddings})[0];
    const at::Tensor sign = at::nan_to_num(up, 0.0).sign();
    move =
        at::minimum(at::maximum(move + config.resolved_step_size() * unit * sign, -bound), bound);
  }
  return move;
}

/// δ + α ∇L / ‖∇L‖, back into the ball; a gradient of no length or of no finite one moves nothing.
at::Tensor ascend(const EmbeddingConfig& config, const Sequences& sequences, const at::Tensor& move,
                  const at::Tensor& gradient) {
  const at::Tensor up = gradient * sequences.mask();
  const at::Tensor size = length_of(up);
  const at::Tensor step = config.resolved_step_size() * sequences.length() * up / size;
  const at::Tensor to = move + at::where(at::isfinite(size) & (size > 0), step, 0.0);
  const at::Tensor most = config.epsilon * sequences.length();
  return to * (most / length_of(to).clamp_min(1e-30)).clamp_max(1.0);
}

/// FreeLB's pass over a micro-batch, see GradientHook::accumulate.
at::Tensor accumulate(const EmbeddingConfig& config, const Run& run, EmbeddingWork& work,
                      nn::Batch& batch, const nn::LossFunction& loss, double factor) {
  const double begin = run.seconds();
  const at::Tensor embedded = batch.embeddings;
  const Sequences sequences(batch);
  const int64_t steps = config.resolved_steps();
  const double share = 1.0 / static_cast<double>(steps);
  at::Tensor move =
      sequences.draw(run, batch.index) * config.epsilon * sequences.root_mean_square();
  at::Tensor sum, gradient;
  for (int64_t i = 0; i < steps; ++i) {
    if (i + 1 == steps) work.extra_ms += ms_since(begin, run);
    batch.embeddings = leaf_at(sequences.clean(), move);
    const at::Tensor part = loss(batch);
    (part * (factor * share)).backward();
    const at::Tensor& here = batch.embeddings.grad();
    sum = sum.defined() ? sum + part.detach() * share : part.detach() * share;
    gradient = gradient.defined() ? gradient + here : here;
    if (i + 1 < steps) move = ascend(config, sequences, move, here);
  }
  ++work.micro_batches;
  torch::autograd::backward({embedded}, {gradient});
  return sum;
}

}  // namespace

nn::FitHooks embedding_hooks(const EmbeddingConfig& config, const Run& run, EmbeddingWork& work) {
  nn::FitHooks hooks;
  if (config.epsilon == 0) return hooks;
  hooks.memory = config.memory();
  if (config.method == EmbeddingMethod::freelb) {
    hooks.gradient.accumulate =
        [config, &run, &work](nn::Batch& batch, const nn::LossFunction& loss, double factor, bool) {
          return accumulate(config, run, work, batch, loss, factor);
        };
    return hooks;
  }
  hooks.batch = [config, &run, &work](nn::Batch& batch, const nn::LossFunction& loss) {
    const double begin = run.seconds();
    const at::Tensor move = move_in_box(config, run, batch, loss);
    work.extra_ms += ms_since(begin, run);
    ++work.micro_batches;
    batch.embeddings = batch.embeddings + move;
    return loss(batch);
  };
  return hooks;
}

}  // namespace cupel::augment
