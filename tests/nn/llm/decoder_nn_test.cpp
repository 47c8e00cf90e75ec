// Against transformers: parity_nn_test.cpp.
#include "nn/llm/decoder_nn.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/json.h"
#include "nn/llm/families.h"
#include "nn/optimizer_nn.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

TEST(Decoder, FollowsPyTorchsLossCurveFromTheSameWeightsAndBatches) {
  const std::string name = "deepseek_v3_curve";
  const auto decoder = fixture_decoder(name);
  const json::Value curve =
      json::parse(read_file(fixture(name) / "curve.json"), "curve.json", {8, 1 << 20});
  const Safetensors batches = Safetensors::open(fixture(name) / "batches.safetensors");
  const at::Tensor ids = read_tensor(batches, "ids");
  nn::FitConfig config;
  nn::AdamW optimizer(*decoder, config);
  for (nn::OptimizedParameter& parameter : optimizer.parameters()) parameter.decay = true;
  const auto& rates = curve.at("learning_rate", "curve").as_array("curve");
  const auto& losses = curve.at("loss", "curve").as_array("curve");
  double worst = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const nn::Batch batch = next_token_batch(ids[static_cast<int64_t>(step)]);
    optimizer.zero_grad();
    const at::Tensor loss = decoder->loss(batch, {}) / batch.weight;
    loss.backward();
    const double norm = std::sqrt(optimizer.gradient_sum_of_squares());
    optimizer.step(rates[step].as_double("rate"),
                   static_cast<float>(std::min(1.0, 1.0 / (norm + 1e-6))));
    const double want = losses[step].as_double("loss");
    worst = std::max(worst, std::abs(loss.item<double>() - want) / want);
  }
  EXPECT_LT(worst, 0.01);  // summation order differs between instruction sets, and steps amplify it
  RecordProperty("worst_relative_gap", std::to_string(worst));
}

ModelConfig tiny() {
  ModelConfig config;
  config.vocab_size = 61;
  config.hidden_size = 32;
  config.intermediate_size = 48;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  config.kv_lora_rank = 16;
  config.qk_nope_head_dim = 8;
  config.qk_rope_head_dim = 8;
  config.v_head_dim = 8;
  config.n_routed_experts = 4;
  config.moe_intermediate_size = 16;
  config.num_nextn_predict_layers = 1;
  return config;
}

std::shared_ptr<Decoder> tiny_decoder(const ModelConfig& config = tiny()) {
  const Run run({.seed = 5, .threads = 1});
  auto decoder = std::make_shared<Decoder>(config);
  decoder->initialise(run);
  return decoder;
}

at::Tensor random_ids(int64_t rows, int64_t length, uint64_t seed) {
  return (random_tensor({rows, length}, seed).abs() * 1000).to(at::kLong).remainder(61);
}

/// Loss and all gradients of one pass, flat.
at::Tensor pass_of(Decoder& decoder, const nn::Batch& batch, const LossOptions& options) {
  decoder.zero_grad();
  const at::Tensor loss = decoder.loss(batch, options);
  loss.backward();
  std::vector<at::Tensor> all{loss.detach().reshape({1}).to(at::kFloat)};
  for (const at::Tensor& parameter : decoder.parameters())
    all.push_back(parameter.grad().flatten().clone());
  return at::cat(all);
}

TEST(Decoder, RecomputesActivationsToTheSameBits) {
  const auto decoder = tiny_decoder();
  const nn::Batch batch = next_token_batch(random_ids(3, 21, 1));
  for (const at::ScalarType storage : {at::kFloat, at::kBFloat16, at::kHalf}) {
    LossOptions options;
    options.storage = storage;
    options.dropout = 0.2;
    options.dropout_key = 77;
    options.mtp_loss_weight = 0.3;
    options.count_load = true;
    // A layer's branches are added to the stream in one place or another, so sums round alike only
    // in fp32.
    const at::Tensor plain = pass_of(*decoder, batch, options);
    const std::vector<int64_t> load = decoder->expert_layers()[0]->load();
    decoder->expert_layers()[0]->begin_step();
    options.recompute = true;
    const at::Tensor recomputed = pass_of(*decoder, batch, options);
    EXPECT_EQ(decoder->expert_layers()[0]->load(), load);
    decoder->expert_layers()[0]->begin_step();
    EXPECT_TRUE(at::equal(plain, recomputed)) << relative_gap(recomputed, plain);
  }
}

/// A tiny model of any family, with every bias and a window that it may have.
ModelConfig tiny_of(const Family& family) {
  ModelConfig config = tiny();
  config.family = family.name;
  config.num_nextn_predict_layers = family.has("num_nextn_predict_layers") ? 1 : 0;
  if (family.has("num_key_value_heads")) config.num_key_value_heads = 1;
  config.attention_bias = family.has("attention_bias");
  config.mlp_bias = family.has("mlp_bias");
  if (family.has("sliding_window")) config.sliding_window = 5;
  if (family.has("max_window_layers")) config.max_window_layers = 1;
  if (family.has("decoder_sparse_step")) config.decoder_sparse_step = 2;
  return config;
}

TEST(Decoder, LearnsEveryFamilyInSixteenBitAndRecomputesItToTheSameBits) {
  const nn::Batch batch = next_token_batch(random_ids(3, 21, 1));
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    const ModelConfig config = tiny_of(family);
    const auto decoder = tiny_decoder(config);
    LossOptions options;
    options.mtp_loss_weight = 0.3;
    const at::Tensor exact = pass_of(*decoder, batch, options);
    options.storage = at::kBFloat16;
    const at::Tensor rounded = pass_of(*decoder, batch, options);
    EXPECT_LE(relative_gap(rounded, exact), 0.05);
    options.recompute = true;
    EXPECT_TRUE(at::equal(pass_of(*decoder, batch, options), rounded));
    options.dropout = 0.2;
    options.dropout_key = 77;
    for (const at::ScalarType storage : {at::kFloat, at::kBFloat16}) {
      options.storage = storage;
      options.recompute = false;
      const at::Tensor plain = pass_of(*decoder, batch, options);
      options.recompute = true;
      EXPECT_TRUE(at::equal(pass_of(*decoder, batch, options), plain)) << storage;
    }
  }
}

TEST(Decoder, CountsNoPaddingInAnyLayersLoad) {
  const auto decoder = tiny_decoder();
  nn::Batch batch = next_token_batch(random_ids(2, 9, 1));
  LossOptions options;
  options.count_load = true;
  options.mtp_loss_weight = 0.3;
  const auto tokens = [&] {
    std::vector<int64_t> sums;
    for (Experts* layer : decoder->expert_layers()) layer->begin_step();
    pass_of(*decoder, batch, options);
    for (const Experts* layer : decoder->expert_layers()) {
      int64_t sum = 0;
      for (const int64_t count : layer->load()) sum += count;
      sums.push_back(sum / decoder->config().num_experts_per_tok);
    }
    return sums;
  };
  const int64_t whole = batch.inputs.numel(), length = batch.inputs.size(1);
  const std::size_t layers = decoder->expert_layers().size();
  EXPECT_EQ(tokens(), std::vector<int64_t>(layers, whole));
  batch.lengths = at::tensor({length, length - 5}, at::kLong);
  for (const bool recompute : {false, true}) {
    options.recompute = recompute;
    EXPECT_EQ(tokens(), std::vector<int64_t>(layers, whole - 5)) << recompute;
  }
}

TEST(Decoder, TellsPackedDocumentsApart) {
  const auto decoder = tiny_decoder();
  const at::Tensor a = random_ids(1, 9, 2), b = random_ids(1, 13, 3);
  const nn::Batch first = next_token_batch(a), second = next_token_batch(b);
  nn::Batch packed;
  packed.inputs = at::cat({first.inputs, second.inputs}, 1);
  packed.labels = at::cat({first.labels, second.labels}, 1);
  packed.first = at::cat({at::zeros({1, 8}, at::kInt), at::full({1, 12}, 8, at::kInt)}, 1);
  packed.positions = at::cat({at::arange(8, at::kInt), at::arange(12, at::kInt)}).unsqueeze(0);
  LossOptions options;
  options.mtp_loss_weight = 0.5;
  const at::Tensor apart = pass_of(*decoder, first, options) + pass_of(*decoder, second, options);
  EXPECT_LE(relative_gap(pass_of(*decoder, packed, options), apart), 2e-5);
}

/// Of losses (the first `losses` values) and of gradients, each against the largest of its kind.
double pass_gap(const at::Tensor& got, const at::Tensor& want, int64_t losses) {
  const int64_t rest = want.numel() - losses;
  return std::max(relative_gap(got.narrow(0, 0, losses), want.narrow(0, 0, losses)),
                  relative_gap(got.narrow(0, losses, rest), want.narrow(0, losses, rest)));
}

/// Loss and all gradients in fp64, where a pass goes by the plain formulas.
at::Tensor exact_pass_of(Decoder& decoder, const nn::Batch& batch) {
  LossOptions options;
  options.storage = at::kDouble;
  options.mtp_loss_weight = 0.5;
  decoder.zero_grad();
  const at::Tensor loss = decoder.loss(batch, options);
  loss.backward();
  std::vector<at::Tensor> all{loss.detach().reshape({1}).to(at::kDouble),
                              at::tensor({decoder.mtp_loss()}, at::kDouble)};
  for (const at::Tensor& parameter : decoder.parameters())
    all.push_back(parameter.grad().flatten().clone());
  return at::cat(all);
}

/// Some documents in one row, as sample_packing has them.
nn::Batch packed_in_a_row(const std::vector<nn::Batch>& documents) {
  std::vector<at::Tensor> inputs, labels, first, positions;
  int64_t begin = 0;
  nn::Batch packed;
  for (const nn::Batch& document : documents) {
    const int64_t length = document.inputs.size(1);
    inputs.push_back(document.inputs);
    labels.push_back(document.labels);
    first.push_back(at::full({1, length}, begin, at::kInt));
    positions.push_back(at::arange(length, at::kInt).unsqueeze(0));
    packed.weight += document.weight;
    begin += length;
  }
  packed.inputs = at::cat(inputs, 1);
  packed.labels = at::cat(labels, 1);
  packed.first = at::cat(first, 1);
  packed.positions = at::cat(positions, 1);
  packed.lengths = at::tensor({begin}, at::kLong);
  return packed;
}

/// The same in a row each, padded as train pads: a token of padding sees itself alone.
nn::Batch padded_to_one_length(const std::vector<nn::Batch>& documents) {
  int64_t longest = 0;
  for (const nn::Batch& document : documents) longest = std::max(longest, document.inputs.size(1));
  const auto rows = static_cast<int64_t>(documents.size());
  nn::Batch padded;
  padded.inputs = at::zeros({rows, longest}, at::kLong);
  padded.labels = at::full({rows, longest}, -100, at::kLong);
  padded.first = at::arange(longest, at::kInt).repeat({rows, 1});
  padded.positions = at::zeros({rows, longest}, at::kInt);
  padded.lengths = at::zeros({rows}, at::kLong);
  for (int64_t row = 0; row < rows; ++row) {
    const nn::Batch& document = documents[static_cast<std::size_t>(row)];
    const int64_t length = document.inputs.size(1);
    padded.inputs[row].narrow(0, 0, length).copy_(document.inputs[0]);
    padded.labels[row].narrow(0, 0, length).copy_(document.labels[0]);
    padded.first[row].narrow(0, 0, length).zero_();
    padded.positions[row].narrow(0, 0, length).copy_(at::arange(length, at::kInt));
    padded.lengths[row] = length;
    padded.weight += document.weight;
  }
  return padded;
}

TEST(Decoder, PackedAndPaddedRowsGiveTheLossAndGradientsOfTheRowsOneByOne) {
  std::vector<nn::Batch> documents;
  for (const int64_t length : {9, 14, 3, 12})
    documents.push_back(next_token_batch(random_ids(1, length, static_cast<uint64_t>(length))));
  documents[1].labels = documents[1].labels.clone();   // no view of the inputs any more
  documents[1].labels[0].narrow(0, 0, 4).fill_(-100);  // a prompt
  for (const Family& family : kFamilies) {  // latent attention, grouped queries, windows, experts
    SCOPED_TRACE(family.name);
    const auto decoder = tiny_decoder(tiny_of(family));
    decoder->to(at::kDouble);
    at::Tensor apart = exact_pass_of(*decoder, documents[0]);
    for (std::size_t i = 1; i < documents.size(); ++i)
      apart = apart + exact_pass_of(*decoder, documents[i]);
    EXPECT_LE(pass_gap(exact_pass_of(*decoder, packed_in_a_row(documents)), apart, 2), 1e-12);
    EXPECT_LE(pass_gap(exact_pass_of(*decoder, padded_to_one_length(documents)), apart, 2), 1e-12);
  }
}

TEST(Decoder, PackedRowsGiveTheLossOfTheRowsOneByOneInTheFastKernelsOfEveryFamily) {
  std::vector<nn::Batch> documents;
  for (const int64_t length : {9, 14, 3, 12})
    documents.push_back(next_token_batch(random_ids(1, length, static_cast<uint64_t>(length))));
  LossOptions options;
  options.mtp_loss_weight = 0.5;
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    const auto decoder = tiny_decoder(tiny_of(family));
    at::Tensor apart = pass_of(*decoder, documents[0], options);
    for (std::size_t i = 1; i < documents.size(); ++i)
      apart = apart + pass_of(*decoder, documents[i], options);
    EXPECT_LE(pass_gap(pass_of(*decoder, packed_in_a_row(documents), options), apart, 1), 2e-6);
    EXPECT_LE(pass_gap(pass_of(*decoder, padded_to_one_length(documents), options), apart, 1),
              2e-6);
  }
}

TEST(Decoder, AStepsGradientDoesNotDependOnHowItsRowsAreSplitIntoMicroBatches) {
  std::vector<nn::Batch> documents;  // of 5 to 15 labels, so that parts weigh differently
  for (int64_t length = 6; length < 17; length += 2)
    documents.push_back(next_token_batch(random_ids(1, length, static_cast<uint64_t>(length))));
  LossOptions options;
  options.mtp_loss_weight = 0.5;
  for (const char* name : {"deepseek_v3", "mistral"}) {
    SCOPED_TRACE(name);
    const auto decoder = tiny_decoder(tiny_of(*find_family(name)));
    const at::Tensor whole = pass_of(*decoder, padded_to_one_length(documents), options);
    for (const std::size_t rows : {1u, 2u, 3u, 5u}) {
      at::Tensor sum = at::zeros_like(whole);
      for (std::size_t begin = 0; begin < documents.size(); begin += rows) {
        const auto end = std::min(documents.size(), begin + rows);
        const std::vector<nn::Batch> part(documents.begin() + static_cast<std::ptrdiff_t>(begin),
                                          documents.begin() + static_cast<std::ptrdiff_t>(end));
        sum += pass_of(*decoder, padded_to_one_length(part), options);
      }
      EXPECT_LE(pass_gap(sum, whole, 1), 1e-6) << rows << " rows at once";
    }
  }
}

TEST(Decoder, TakesEmbeddingsInPlaceOfIds) {
  const auto decoder = tiny_decoder();
  nn::Batch batch = next_token_batch(random_ids(2, 11, 6));
  const at::Tensor plain = decoder->loss(batch, {});
  batch.embeddings = decoder->named_parameters()["model.embed_tokens.weight"]
                         .index_select(0, batch.inputs.flatten())
                         .detach()
                         .view({2, 10, 32})
                         .requires_grad_(true);
  const at::Tensor loss = decoder->loss(batch, {});
  EXPECT_EQ(loss.item<float>(), plain.item<float>());
  loss.backward();
  EXPECT_GT(batch.embeddings.grad().abs().max().item<float>(), 0);
}

TEST(Decoder, HasTheParametersThatTheConfigNamesInTheirOrder) {
  for (const bool tied : {false, true}) {
    ModelConfig config = tiny();
    config.tie_word_embeddings = tied;
    config.q_lora_rank = 12;
    const auto decoder = tiny_decoder(config);
    const std::vector<ParameterShape> shapes = parameter_shapes(config);
    const auto parameters = decoder->named_parameters();
    ASSERT_EQ(parameters.size(), shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      EXPECT_EQ(parameters[i].key(), shapes[i].name);
      EXPECT_EQ(parameters[i].value().sizes().vec(), shapes[i].shape) << shapes[i].name;
    }
  }
}

TEST(Decoder, CountsEveryFamilysParametersAsTheyAre) {
  for (const Family& family : kFamilies) {
    const ModelConfig config = tiny_of(family);
    int64_t count = 0;
    for (const at::Tensor& parameter : Decoder(config).parameters()) count += parameter.numel();
    EXPECT_EQ(parameter_count(config), count) << family.name;
  }
}

TEST(Decoder, BeginsWithTheAskedSpreadAndWithOnesInNorms) {
  const auto parameters = tiny_decoder()->named_parameters();
  EXPECT_NEAR(parameters["model.embed_tokens.weight"].std().item<double>(), 0.02, 0.002);
  EXPECT_EQ(parameters["model.norm.weight"].min().item<float>(), 1);
  EXPECT_FALSE(at::equal(parameters["model.layers.0.mlp.gate_proj.weight"],
                         parameters["model.layers.0.mlp.up_proj.weight"]));
}

TEST(ShiftedBatch, MovesOnePlaceInsideEachDocument) {
  const at::Tensor ids = at::tensor({1, 2, 3, 4, 5}, at::kLong).unsqueeze(0);
  const at::Tensor labels = at::tensor({2, -100, 4, 5, 6}, at::kLong).unsqueeze(0);
  const at::Tensor first = at::tensor({0, 0, 2, 2, 2}, at::kInt).unsqueeze(0);
  const ShiftedBatch shift = shifted(ids, labels, first);
  EXPECT_TRUE(at::equal(shift.ids[0], at::tensor({2, 3, 4, 5, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(shift.labels[0], at::tensor({-100, -100, 5, 6, -100}, at::kLong)));
}

}  // namespace
}  // namespace cupel::llm
