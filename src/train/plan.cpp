// Adds up what nn/llm/decoder_nn.cpp and nn/ops_*_nn.cpp keep for the backward pass, tensor by
// tensor; the order of terms is theirs.
#include "train/plan.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "kernels/kernels.h"
#include "nn/distributed.h"
#include "nn/llm/families.h"
#include "nn/llm/model_files.h"
#include "nn/loss_chunk.h"
#include "nn/schedule.h"

namespace cupel::train {
namespace {

/// Low-rank adapters of the blocks; without any the model's own weights are trained.
struct Adapters {
  /// Of one block.
  struct Layer {
    int64_t count = 0;       // adapted layers
    bool attention = false;  // one of them is of its attention
    bool gated = false;      // one of them is of its feed-forward part
  };
  bool any = false;
  int64_t rank = 0;
  int64_t first = 0;  // block that has one: what comes before needs no gradient
  std::vector<Layer> layers;
  std::vector<llm::ParameterShape> shapes;
};

struct Shape {
  const llm::ModelConfig& model;
  const llm::Family& family;
  int64_t tokens;   // of a micro-batch
  int64_t storage;  // bytes of an element that matrix products read
  bool dropout;
  const Adapters& adapters;
  int64_t w() const { return model.hidden_size; }
};

/// Bytes of one token's activations: kept until the backward pass, and needed on top while that
/// pass goes through them.
struct Activations {
  int64_t kept = 0, working = 0;
};

/// "model.layers.12.…" → 12; nothing for what is in no block.
std::optional<std::size_t> block_of(const std::string& name) {
  constexpr std::string_view kPrefix = "model.layers.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
}

Adapters adapters_of(const Config& config, const llm::ModelConfig& model) {
  Adapters adapters;
  const int64_t blocks = model.num_hidden_layers + model.num_nextn_predict_layers;
  adapters.layers.resize(static_cast<std::size_t>(blocks));
  if (config.adapter == Adapter::none) return adapters;
  const llm::AdapterConfig adapter = config.adapter_config();
  const std::vector<llm::LinearShape> layers =
      llm::adapted_layers(model, adapter.targets, "train.lora_target_modules");
  adapters.any = true;
  adapters.rank = adapter.rank;
  adapters.shapes = llm::adapter_shapes(layers, adapter.rank);
  for (const llm::LinearShape& layer : layers) {
    Adapters::Layer& block = adapters.layers[*block_of(layer.name)];
    ++block.count;
    const bool gated = layer.name.find(".mlp.") != std::string::npos;
    (gated ? block.gated : block.attention) = true;
  }
  while (adapters.layers[static_cast<std::size_t>(adapters.first)].count == 0) ++adapters.first;
  return adapters;
}

/// Gradients that are copied for the sum over processes before they are freed: one bucket's.
int64_t shared_bytes(const std::vector<llm::ParameterShape>& trained) {
  int64_t largest = 0, all = 0;
  for (const llm::ParameterShape& parameter : trained) {
    largest = std::max(largest, parameter.size());
    all += parameter.size();
  }
  return kFloatBytes * std::min(all, std::max(largest, nn::kBucket));
}

/// `sum` in fp32 with its inverse root mean square, and the normalised copy.
int64_t norm_bytes(const Shape& s) { return s.w() * (kFloatBytes + s.storage) + kFloatBytes; }

Activations latent_attention(const Shape& s) {
  const llm::ModelConfig& m = s.model;
  const int64_t heads = m.num_attention_heads, query = heads * m.query_width();
  const int64_t expanded = heads * (m.qk_nope_head_dim + m.v_head_dim);
  const int64_t latent = m.kv_lora_rank + m.qk_rope_head_dim, out = heads * m.v_head_dim;
  Activations a;
  a.kept =
      s.storage * (query + latent + m.kv_lora_rank + expanded + out) + kFloatBytes * (1 + heads);
  if (m.q_lora_rank) a.kept += 2 * s.storage * *m.q_lora_rank + kFloatBytes;
  a.working = s.storage * (s.w() + out + query + latent + expanded) +
              kFloatBytes * heads * m.qk_rope_head_dim;
  return a;
}

Activations grouped_attention(const Shape& s) {
  const int64_t heads = s.model.num_attention_heads, width = s.model.rotary_width();
  const int64_t key_value = 2 * s.model.num_key_value_heads.value_or(heads) * width;
  Activations a;
  a.kept = s.storage * (2 * heads * width + key_value) + kFloatBytes * heads;
  a.working = s.storage * (s.w() + 2 * heads * width + key_value);
  if (s.family.head_norm)  // what stands before the norms of queries and keys, and their inverses
    a.kept +=
        s.storage * (heads * width + key_value / 2) + kFloatBytes * (heads + key_value / 2 / width);
  return a;
}

/// Widths that a gated feed-forward layer keeps: gate and up; with biases or adapters, which the
/// fused operation has none of, what it makes of them as well.
int64_t kept_gated(const Shape& s, int64_t layer) {
  return s.model.mlp_bias || s.adapters.layers[static_cast<std::size_t>(layer)].gated ? 4 : 2;
}

/// Widths on top while the backward pass goes through it; piece by piece, what is kept goes with
/// it.
int64_t working_gated(const Shape& s, int64_t layer) { return kept_gated(s, layer) == 4 ? 2 : 4; }

Activations experts(const Shape& s, int64_t layer) {
  const llm::ModelConfig& m = s.model;
  const int64_t k = m.num_experts_per_tok, inner = m.moe_intermediate_size;
  const int64_t shared = m.shared_width();
  Activations a;
  const int64_t router = (s.storage == kFloatBytes ? 0 : kFloatBytes * s.w()) +
                         kFloatBytes * m.n_routed_experts + k * (kLongBytes + 3 * kFloatBytes) +
                         kFloatBytes;
  a.kept = router + s.storage * (2 * k * inner + kept_gated(s, layer) * shared);
  // Experts go one after the other; the shared one, over all tokens, is the largest.
  const int64_t unit = s.storage * working_gated(s, layer) * shared;
  int64_t each = k * (s.storage * (2 * s.w() + 4 * inner) + kFloatBytes * s.w()) /
                 std::max<int64_t>(1, m.n_routed_experts / 2);
  // One that is not fused with them goes backwards before them, and what it kept is free again.
  if (kept_gated(s, layer) == 4) each -= std::min(each, s.storage * 4 * shared);
  a.working = s.w() * (s.storage + kFloatBytes) + std::max(unit, each);
  return a;
}

Activations dense(const Shape& s, int64_t layer) {
  const int64_t inner = s.model.intermediate_size;
  return {s.storage * kept_gated(s, layer) * inner,
          s.storage * (s.w() + working_gated(s, layer) * inner) + kFloatBytes * s.w()};
}

Activations attention(const Shape& s) {
  return s.family.latent_attention ? latent_attention(s) : grouped_attention(s);
}

/// One block. Its parts go backwards one after the other, so the larger working set counts.
Activations block(const Shape& s, int64_t layer) {
  const Activations attended = attention(s);
  const Activations feed_forward = s.model.routes(layer) ? experts(s, layer) : dense(s, layer);
  Activations a;
  a.kept = 2 * norm_bytes(s) + attended.kept + feed_forward.kept;
  if (s.dropout) a.kept += 2 * s.storage * s.w();
  a.kept += s.adapters.layers[static_cast<std::size_t>(layer)].count * s.storage * s.adapters.rank;
  // While the feed-forward part goes backwards, the gradient of the stream around it waits.
  a.working = std::max(feed_forward.working, attended.working) + s.w() * kFloatBytes;
  return a;
}

/// Of one token, where activations are not computed again.
int64_t kept_bytes(const Shape& s, int64_t layer) {
  const int64_t all = block(s, layer).kept;
  if (!s.adapters.any || layer > s.adapters.first) return all;
  if (layer < s.adapters.first) return 0;
  if (s.adapters.layers[static_cast<std::size_t>(layer)].attention) return all;
  return all - norm_bytes(s) - attention(s).kept;
}

std::vector<llm::ParameterShape> trained_shapes(const Shape& s) {
  return s.adapters.any ? s.adapters.shapes : llm::parameter_shapes(s.model);
}

int64_t size_of(const std::vector<llm::ParameterShape>& parameters) {
  int64_t size = 0;
  for (const llm::ParameterShape& parameter : parameters) size += parameter.size();
  return size;
}

/// Those that are trained, by layer, of multi-token prediction last.
std::vector<int64_t> block_parameters(const Shape& s) {
  std::vector<int64_t> counts(s.adapters.layers.size());
  for (const llm::ParameterShape& parameter : trained_shapes(s)) {
    if (const auto layer = block_of(parameter.name)) counts[*layer] += parameter.size();
  }
  return counts;
}

/// Of the gradient of embedding or head.
int64_t table_gradient(const Shape& s) {
  return s.adapters.any ? 0 : s.model.vocab_size * s.w() * kFloatBytes;
}

/// Matrices that 16-bit products read from a copy: all but the router and, untied, the embedding.
int64_t copied_parameters(const llm::ModelConfig& model) {
  int64_t count = 0;
  for (const llm::ParameterShape& parameter : llm::parameter_shapes(model)) {
    const bool embedding = parameter.name == "model.embed_tokens.weight";
    if (parameter.shape.size() < 2 || parameter.name.ends_with("mlp.gate.weight")) continue;
    if (!embedding || model.tie_word_embeddings) count += parameter.size();
  }
  return count;
}

/// fp32, and what 16-bit products read in their place. Beside adapters, which have both, frozen
/// matrices have no fp32 but the table that is embedding and head at once.
int64_t weight_bytes(const Shape& s) {
  const int64_t all = llm::parameter_count(s.model), copied = copied_parameters(s.model);
  if (s.storage == kFloatBytes) return (all + size_of(s.adapters.shapes)) * kFloatBytes;
  const int64_t tied = s.model.tie_word_embeddings ? s.model.vocab_size * s.w() : 0;
  const int64_t narrowed = s.adapters.any ? copied - tied : 0;
  return (all - narrowed) * kFloatBytes + copied * s.storage +
         size_of(s.adapters.shapes) * (kFloatBytes + s.storage);
}

/// The head: kept are the gradients of its input and weight, which the forward pass computes
/// already; on top a chunk of logits comes and goes.
Activations head(const Shape& s) {
  const int64_t vocabulary = s.model.vocab_size;
  const int64_t rows = nn::cross_entropy_chunk_rows(s.tokens, vocabulary);
  const int64_t weight = table_gradient(s);
  Activations a;  // of the whole micro-batch, unlike the others
  a.kept = s.tokens * (norm_bytes(s) + kFloatBytes * s.w()) + weight;
  const int64_t logits =
      rows * vocabulary * (kFloatBytes + (s.storage == kFloatBytes ? 0 : s.storage));
  a.working = std::max(logits, weight + s.tokens * s.w() * kFloatBytes);
  return a;
}

/// Both of AdamW's, with the scales of those that take a byte.
int64_t moment_bytes(const std::vector<llm::ParameterShape>& trained, nn::OptimizerKind optimizer) {
  int64_t bytes = 0;
  for (const llm::ParameterShape& parameter : trained) {
    const int64_t size = parameter.size();
    const bool narrow = optimizer == nn::OptimizerKind::adamw_8bit && size >= nn::kSmallest8bit;
    const int64_t blocks = (size + kMomentBlock - 1) / kMomentBlock;
    bytes += 2 * (narrow ? size + blocks * kFloatBytes : size * kFloatBytes);
  }
  return bytes;
}

/// Refuses, in doubles, what the sums below could not hold in 64 bits.
void refuse_uncountable(const Shape& s) {
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  double a_token = 0;  // more than what any of the sums takes for one
  const int64_t blocks = s.model.num_hidden_layers + s.model.num_nextn_predict_layers;
  for (int64_t layer = 0; layer < blocks; ++layer) {
    const Activations a = block(s, layer);
    a_token += 2 * (d(a.kept) + d(a.working) + 64 * d(s.w()));
  }
  a_token += d(2 + s.model.num_nextn_predict_layers) * (64 * d(s.w()) + 16 * d(s.model.vocab_size));
  require_countable(d(s.tokens) * a_token, s.tokens);
}

/// High-water mark of a micro-batch's forward and backward pass, gradients of weights included.
/// `gradient`: bytes of a weight's, once it stands.
int64_t pass_bytes(const Shape& s, bool recompute, bool gradients_stand, int64_t gradient) {
  const int64_t layers = s.model.num_hidden_layers;
  const int64_t mtp = s.model.num_nextn_predict_layers;
  const int64_t stream = s.tokens * s.w() * kFloatBytes;  // input of a block
  std::vector<int64_t> kept;                              // by layer
  for (int64_t i = 0; i < layers + mtp; ++i) {
    const int64_t extra =
        i < layers ? 0
                   : s.tokens * (s.w() * (kFloatBytes + 5 * s.storage) + 2 * kLongBytes) +
                         head(s).kept - table_gradient(s);
    kept.push_back(extra + (recompute ? stream : s.tokens * kept_bytes(s, i)));
  }
  const std::vector<int64_t> weights = block_parameters(s);
  int64_t live = stream + (1 + mtp) * head(s).kept;
  for (const int64_t bytes : kept) live += bytes;
  int64_t peak = live + head(s).working;
  int64_t gradients = gradients_stand ? 0 : table_gradient(s) / kFloatBytes * gradient;
  live -= head(s).kept - table_gradient(s);
  const int64_t first = s.adapters.any && !recompute ? s.adapters.first : 0;
  for (int64_t i = layers + mtp - 1; i >= first; --i) {
    const Activations here = block(s, i);
    const int64_t parameters = weights[static_cast<std::size_t>(i)] * kFloatBytes;
    const int64_t again = recompute ? s.tokens * here.kept : 0;
    peak = std::max(peak, live + gradients + parameters + again + s.tokens * here.working);
    if (!gradients_stand) gradients += parameters / kFloatBytes * gradient;
    live -= kept[static_cast<std::size_t>(i)];
  }
  return peak;
}

}  // namespace

void require_room(const Config& config, int64_t model_vocab, int64_t tokenizer_vocab,
                  int64_t positions) {
  if (model_vocab < tokenizer_vocab)
    fail(ErrorKind::config, "train.model.vocab_size",
         std::to_string(model_vocab) + " is less than the tokenizer's " +
             std::to_string(tokenizer_vocab),
         config.base_model.empty() ? "leave it out to take the tokenizer's"
                                   : "take config.json and tokenizer.json from one place");
  if (config.sequence_len > positions)
    fail(ErrorKind::config, "train.sequence_len",
         std::to_string(config.sequence_len) + " is more than the model's " +
             std::to_string(positions) + " positions",
         "lower it");
}

int64_t tokens_seen(const Config& config, int64_t steps, int64_t world_size,
                    int64_t tokens_a_micro_batch) {
  int64_t tokens = 0;
  if (__builtin_mul_overflow(steps, nn::micro_batches_a_step(config, world_size), &tokens) ||
      __builtin_mul_overflow(tokens, tokens_a_micro_batch, &tokens)) {
    fail(ErrorKind::config, "[train]", "more than 9e18 tokens would be seen",
         "lower max_steps, num_epochs or gradient_accumulation_steps");
  }
  return tokens;
}

void require_countable(double bytes, int64_t tokens) {
  constexpr double kMostBytes = 0x1p60;
  if (bytes < kMostBytes) return;
  fail(ErrorKind::config, "[train]",
       "a micro-batch of " + std::to_string(tokens) + " tokens needs more than 1e18 bytes",
       "lower micro_batch_size or sequence_len");
}

llm::ModelConfig resolve_model(const Config& config, int64_t vocab_size) {
  llm::ModelConfig model =
      config.base_model.empty() ? *config.model : llm::model_config_of(config.base_model.text);
  if (model.vocab_size == 0) model.vocab_size = vocab_size;
  require_room(config, model.vocab_size, vocab_size, model.max_position_embeddings);
  return model;
}

Plan plan(const Config& config, const llm::ModelConfig& model, nn::Precision compute,
          int64_t sequences_per_epoch, const nn::HookMemory& hooks, int64_t world_size) {
  const bool full = compute == nn::Precision::fp32;
  const Adapters adapters = adapters_of(config, model);
  const Shape shape{model,
                    *llm::find_family(model.family),
                    config.micro_batch_size * config.sequence_len,
                    full ? kFloatBytes : 2,
                    config.dropout > 0,
                    adapters};
  const std::vector<llm::ParameterShape> trained = trained_shapes(shape);
  Plan plan;
  plan.parameters = llm::parameter_count(model);
  plan.active_parameters = llm::active_parameter_count(model);
  plan.trainable_parameters = size_of(trained);
  plan.world_size = world_size;
  plan.steps = nn::total_steps(
      config, std::max<int64_t>(1, sequences_per_epoch / config.micro_batch_size), world_size);
  refuse_uncountable(shape);
  plan.tokens = tokens_seen(config, plan.steps, world_size, shape.tokens);
  plan.weight_bytes = weight_bytes(shape);
  const int64_t gradient = config.grad_accum_dtype == nn::GradientDtype::bf16 ? 2 : kFloatBytes;
  plan.gradient_bytes =
      plan.trainable_parameters * gradient + (world_size > 1 ? shared_bytes(trained) : 0);
  plan.optimizer_bytes = moment_bytes(trained, config.optimizer);
  const bool gradients_stand = config.gradient_accumulation_steps > 1 || hooks.gradients_stand;
  const int64_t moved = hooks.embeddings * shape.tokens * model.hidden_size * kFloatBytes;
  const int64_t pass =
      moved + pass_bytes(shape, config.gradient_checkpointing, gradients_stand, gradient);
  const int64_t standing = gradients_stand ? plan.gradient_bytes : 0;
  const int64_t highest = std::max(pass + standing, plan.gradient_bytes);
  plan.activation_bytes = highest - std::min(highest, plan.gradient_bytes);
  plan.planned_memory_bytes = plan.weight_bytes + plan.optimizer_bytes + highest;
  return plan;
}

}  // namespace cupel::train
