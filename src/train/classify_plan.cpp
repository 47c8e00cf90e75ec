// Adds up what nn/bert_nn.cpp keeps for the backward pass, tensor by tensor; the order of terms is
// its.
#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "nn/distributed.h"
#include "nn/schedule.h"
#include "train/classify.h"
#include "train/plan.h"

namespace cupel::train {
namespace {

struct PassShape {
  const nn::EncoderConfig& encoder;
  int64_t rows, tokens;  // of a micro-batch, padding among them
  int64_t storage;       // bytes of an element that matrix products read
  bool dropout;
  int64_t w() const { return encoder.hidden_size; }
};

/// A layer's, for the whole micro-batch: kept until the backward pass, and needed on top while that
/// pass goes through it.
struct LayerBytes {
  int64_t kept = 0, working = 0;
};

LayerBytes layer(const PassShape& s) {
  const int64_t inner = s.encoder.intermediate_size;
  // The input, queries, keys, values and the mix of them; the input of the feed-forward part.
  int64_t kept = s.storage * s.w() * 6 + kFloatBytes * s.encoder.num_attention_heads;
  kept += 2 * (kFloatBytes * s.w() + 2 * kFloatBytes);  // both sums that are normalised
  kept += 2 * s.storage * inner;                        // before and behind the activation
  // The gradient of the layer's output, and one of the wide layer beside what is kept of it; in 16
  // bits also that of its sum with the bias, which is fp32.
  int64_t working = kFloatBytes * s.w() + s.storage * inner +
                    (s.storage == kFloatBytes ? 0 : kFloatBytes * inner);
  if (s.dropout) working += s.storage * s.w();
  return {s.tokens * kept, s.tokens * working};
}

int64_t layer_parameters(const nn::EncoderConfig& e) {
  return 4 * e.hidden_size * (e.hidden_size + 1) + 2 * e.hidden_size * e.intermediate_size +
         e.intermediate_size + 5 * e.hidden_size;
}

/// Of the matrices of the layers, which 16-bit products read.
int64_t copied_parameters(const nn::EncoderConfig& e) {
  return e.num_hidden_layers *
         (4 * e.hidden_size * e.hidden_size + 2 * e.hidden_size * e.intermediate_size);
}

/// High-water mark of a micro-batch's forward and backward pass, gradients of weights included
/// unless they stand already.
int64_t pass_bytes(const PassShape& s, int64_t parameters, bool recompute, bool gradients_stand,
                   int64_t gradient) {
  const LayerBytes one = layer(s);
  const int64_t layers = s.encoder.num_hidden_layers;
  const int64_t stream = s.tokens * s.w() * kFloatBytes;
  const int64_t embedded =
      stream + s.tokens * (2 * kFloatBytes + kLongBytes);  // the sum that is normalised
  const int64_t kept = recompute ? stream : one.kept;
  const int64_t in_layer = layer_parameters(s.encoder);
  int64_t live = embedded + layers * kept;
  int64_t peak = live, gradients = 0;
  for (int64_t i = 0; i < layers; ++i) {
    const int64_t again = recompute ? one.kept : 0;
    const int64_t fresh = s.w() * s.encoder.intermediate_size * kFloatBytes;  // of the last matrix
    peak = std::max(peak, live + gradients + fresh + again + one.working);
    if (!gradients_stand) gradients += in_layer * gradient;
    live -= kept;
  }
  // The table of words is the last to get its gradient, whole.
  const int64_t tables = parameters - layers * in_layer;
  return std::max(peak, live + gradients + tables * kFloatBytes);
}

/// Both of AdamW's, with the scales of those that take a byte.
int64_t moments_of(const nn::ClassifierConfig& model, nn::OptimizerKind optimizer) {
  int64_t bytes = 0;
  for (const nn::ClassifierTensor& tensor : nn::classifier_tensors(model)) {
    const int64_t size = tensor.size();
    const bool narrow = optimizer == nn::OptimizerKind::adamw_8bit && size >= nn::kSmallest8bit;
    const int64_t scales = (size + kMomentBlock - 1) / kMomentBlock * kFloatBytes;
    bytes += narrow ? 2 * (size + scales) : 2 * size * kFloatBytes;
  }
  return bytes;
}

/// Gradients that are copied for the sum over processes before they are freed: one bucket's.
int64_t bucket_bytes(const nn::ClassifierConfig& model, int64_t parameters) {
  int64_t largest = nn::kBucket;
  for (const nn::ClassifierTensor& tensor : nn::classifier_tensors(model))
    largest = std::max(largest, tensor.size());
  return kFloatBytes * std::min(parameters, largest);
}

/// Refuses, in doubles, what the sums above could not hold in 64 bits.
void require_addable(const PassShape& s) {
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  const double a_token = 64 * (d(s.w()) + d(s.encoder.intermediate_size));
  require_countable(d(s.tokens) * a_token * d(s.encoder.num_hidden_layers + 2), s.tokens);
}

}  // namespace

Plan plan_classifier(const Config& config, const nn::ClassifierConfig& model, nn::Precision compute,
                     const nn::BatchSizes& batches, const nn::HookMemory& hooks,
                     int64_t world_size) {
  const bool full = compute == nn::Precision::fp32;
  const PassShape shape{model.encoder, batches.rows, batches.rows * batches.length,
                        full ? kFloatBytes : 2, config.dropout > 0};
  require_addable(shape);
  Plan plan;
  plan.parameters = plan.active_parameters = plan.trainable_parameters = nn::parameter_count(model);
  plan.world_size = world_size;
  plan.steps = nn::total_steps(config, batches.per_epoch, world_size);
  plan.tokens = tokens_seen(config, plan.steps, world_size, std::llround(batches.mean_tokens));
  plan.weight_bytes =
      plan.parameters * kFloatBytes + (full ? 0 : copied_parameters(model.encoder) * shape.storage);
  const int64_t gradient = config.grad_accum_dtype == nn::GradientDtype::bf16 ? 2 : kFloatBytes;
  plan.gradient_bytes =
      plan.parameters * gradient + (world_size > 1 ? bucket_bytes(model, plan.parameters) : 0);
  plan.optimizer_bytes = moments_of(model, config.optimizer);
  const bool stand = config.gradient_accumulation_steps > 1 || hooks.gradients_stand;
  const int64_t moved = hooks.embeddings * shape.tokens * shape.w() * kFloatBytes;
  const int64_t pass =
      moved + pass_bytes(shape, plan.parameters, config.gradient_checkpointing, stand, gradient);
  const int64_t highest = std::max(pass + (stand ? plan.gradient_bytes : 0), plan.gradient_bytes);
  plan.activation_bytes = highest - plan.gradient_bytes;
  plan.planned_memory_bytes = plan.weight_bytes + plan.optimizer_bytes + highest;
  return plan;
}

}  // namespace cupel::train
