// The sums; that they hold against the tensor allocator is shown in train_nn_test.cpp.
#include "train/plan.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::train {
namespace {

Config planned_config(int64_t batch) {
  Config config;
  config.model.emplace();
  config.micro_batch_size = batch;
  config.sequence_len = 128;
  config.max_steps = 50;
  return config;
}

Plan plan_of(const Config& config, nn::Precision compute = nn::Precision::fp32) {
  return plan(config, resolve_model(config, 2048), compute, 1000);
}

TEST(Plan, CountsStepsTokensAndParameters) {
  Config config = planned_config(4);
  config.gradient_accumulation_steps = 3;
  const Plan planned = plan_of(config);
  EXPECT_EQ(planned.steps, 50);
  EXPECT_EQ(planned.tokens, 50 * 3 * 4 * 128);
  EXPECT_EQ(planned.parameters, llm::parameter_count(resolve_model(config, 2048)));
  EXPECT_LT(planned.active_parameters, planned.parameters);
}

TEST(Plan, TakesEpochsWhereNoStepsAreGiven) {
  Config config = planned_config(10);
  config.max_steps.reset();
  config.num_epochs = 2;
  EXPECT_EQ(plan_of(config).steps, 200);
}

TEST(Plan, AddsUpToItsParts) {
  const Plan planned = plan_of(planned_config(4), nn::Precision::bf16);
  EXPECT_EQ(planned.planned_memory_bytes, planned.weight_bytes + planned.gradient_bytes +
                                              planned.optimizer_bytes + planned.activation_bytes);
  EXPECT_EQ(planned.optimizer_bytes, 8 * planned.parameters);
}

TEST(Plan, GrowsWithTheBatchAndShrinksWithRecomputing) {
  const Plan small = plan_of(planned_config(4)), large = plan_of(planned_config(16));
  EXPECT_GT(large.activation_bytes, 3 * small.activation_bytes);
  Config recomputed = planned_config(16);
  recomputed.gradient_checkpointing = true;
  EXPECT_LT(plan_of(recomputed).activation_bytes,
            0.6 * static_cast<double>(large.activation_bytes));
  EXPECT_LT(plan_of(planned_config(16), nn::Precision::bf16).activation_bytes,
            large.activation_bytes);
}

TEST(Plan, AddsWhatHooksHoldWhileAPassGoesOn) {
  const Config config = planned_config(4);
  const auto with = [&](const nn::HookMemory& hooks) {
    return plan(config, resolve_model(config, 2048), nn::Precision::fp32, 1000, hooks)
        .planned_memory_bytes;
  };
  EXPECT_EQ(with({.embeddings = 3}) - with({}), 3 * 4 * 128 * config.model->hidden_size * 4);
  Config twice = config;
  twice.gradient_accumulation_steps = 2;
  EXPECT_EQ(with({.gradients_stand = true}), plan_of(twice).planned_memory_bytes);
}

TEST(Plan, CountsAdaptersAloneForGradientsAndMoments) {
  Config config = planned_config(4);
  const llm::ModelConfig model = resolve_model(config, 2048);
  const Plan whole = plan_of(config);
  config.adapter = Adapter::lora;
  config.lora_r = 4;
  const Plan adapted = plan_of(config);
  int64_t adapters = 0;
  for (const llm::LinearShape& layer : llm::adaptable_layers(model))
    adapters += 4 * (layer.in + layer.out);
  EXPECT_EQ(whole.trainable_parameters, whole.parameters);
  EXPECT_EQ(adapted.trainable_parameters, adapters);
  EXPECT_EQ(adapted.parameters, whole.parameters);
  EXPECT_EQ(adapted.gradient_bytes, 4 * adapters);
  EXPECT_EQ(adapted.optimizer_bytes, 8 * adapters);
  EXPECT_EQ(adapted.weight_bytes, 4 * (whole.parameters + adapters));
  EXPECT_LT(adapted.planned_memory_bytes, whole.planned_memory_bytes);
}

TEST(Plan, FrozenMatricesTakeTwoBytesUnderSixteenBit) {
  Config config = planned_config(4);
  config.adapter = Adapter::lora;
  const Plan full = plan_of(config), half = plan_of(config, nn::Precision::bf16);
  EXPECT_LT(static_cast<double>(half.weight_bytes), 0.75 * static_cast<double>(full.weight_bytes));
}

TEST(ResolveModel, TakesTheTokenizersVocabularyWhereNoneIsGiven) {
  Config config = planned_config(1);
  EXPECT_EQ(resolve_model(config, 777).vocab_size, 777);
  config.model->vocab_size = 1000;
  EXPECT_EQ(resolve_model(config, 777).vocab_size, 1000);
  EXPECT_THAT([&] { resolve_model(config, 1001); },
              throws_error(ErrorKind::config, "1000 is less than the tokenizer's 1001"));
}

TEST(ResolveModel, RefusesSequencesThatABaseModelCannotHold) {
  const TemporaryFolder folder;
  llm::ModelConfig model;
  model.vocab_size = 300;
  model.max_position_embeddings = 64;
  folder.write("config.json", json::dump(llm::to_hf_json(model)));
  Config config = planned_config(1);
  config.model.reset();
  config.base_model = {folder.path().string()};
  EXPECT_THAT([&] { resolve_model(config, 300); },
              throws_error(ErrorKind::config, "128 is more than the model's 64 positions"));
}

TEST(Plan, RefusesMoreTokensThanCanBeCounted) {
  Config config = planned_config(1'000'000);
  config.max_steps = 1'000'000'000'000;
  config.gradient_accumulation_steps = 1'000'000;
  EXPECT_THAT([&] { plan_of(config); },
              throws_exactly(ErrorKind::config,
                             "[train]: more than 9e18 tokens would be seen; lower max_steps, "
                             "num_epochs or gradient_accumulation_steps"));
}

TEST(Plan, RefusesMoreBytesThanCanBeCounted) {
  Config config = planned_config(1'000'000);
  config.sequence_len = 1'000'000;
  config.model->max_position_embeddings = 1'000'000;
  config.model->hidden_size = 1'000'000;
  EXPECT_THAT([&] { plan_of(config); },
              throws_error(ErrorKind::config,
                           "[train]: a micro-batch of 1000000000000 tokens needs more than 1e18 "
                           "bytes; lower micro_batch_size or sequence_len"));
}

TEST(Plan, TakesNoLongerForTenThousandLayersThanTheyAre) {
  Config config = planned_config(1);
  const Plan four = plan_of(config);
  config.model->num_hidden_layers = 10'000;
  const Plan many = plan_of(config);
  // One dense layer in both; the others are alike.
  EXPECT_EQ((many.parameters - four.parameters) % (10'000 - 4), 0);
  EXPECT_GT(many.planned_memory_bytes, 1000 * four.planned_memory_bytes);
}

}  // namespace
}  // namespace cupel::train
