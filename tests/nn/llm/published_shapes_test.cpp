#include "nn/llm/published_shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/random_llama.h"
#include "support/tiny_mixture.h"

namespace cupel::llm {
namespace {

TEST(PublishedShapes, ExpertsStandOneByOneWithTheRoutersBias) {
  ModelConfig config = tiny_mixture();
  config.vocab_size = 50;
  std::vector<std::string> names;
  for (const ParameterShape& shape : published_shapes(config))
    names.push_back(shape.name + " " + std::to_string(shape.shape[0]));
  EXPECT_THAT(names, testing::IsSupersetOf({"model.layers.1.mlp.gate.weight 4",
                                            "model.layers.1.mlp.gate.e_score_correction_bias 4",
                                            "model.layers.1.mlp.experts.3.gate_proj.weight 32",
                                            "model.layers.1.mlp.experts.3.up_proj.weight 32",
                                            "model.layers.1.mlp.experts.0.down_proj.weight 32",
                                            "model.layers.2.eh_proj.weight 32"}));
  EXPECT_THAT(names, testing::Not(testing::Contains(testing::HasSubstr("gate_up_proj"))));
}

TEST(PublishedShapes, AsManyExpertsAsAHostileFileAsksForCostNoMemory) {
  ModelConfig config = tiny_mixture();
  config.vocab_size = 50;
  config.num_hidden_layers = 1000;
  config.n_routed_experts = 100'000;
  EXPECT_THAT([&] { require_shapes({}, config, "folder"); },
              throws_error(ErrorKind::data, "and 990 more"));
}

TEST(PublishedShapes, WhatIsMissingUnexpectedOrOfAnotherShapeIsNamed) {
  RandomLlama model;
  require_shapes(model.source, model.config, "folder");
  const auto require = [&] { require_shapes(model.source, model.config, "folder"); };
  model.config.intermediate_size = 95;
  EXPECT_THAT(require, throws_error(ErrorKind::data,
                                    "model.layers.0.mlp.gate_proj.weight is [96, 64], config.json "
                                    "says [95, 64]"));
  model.config.intermediate_size = 96;
  model.config.attention_bias = true;
  EXPECT_THAT(require,
              throws_error(ErrorKind::data, "missing model.layers.0.self_attn.q_proj.bias"));
  model.config.attention_bias = false;
  model.config.num_hidden_layers = 1;
  EXPECT_THAT(require,
              throws_error(ErrorKind::data, "unexpected model.layers.1.input_layernorm.weight"));
}

}  // namespace
}  // namespace cupel::llm
