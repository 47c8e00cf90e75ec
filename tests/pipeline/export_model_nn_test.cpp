// Whole exports of small models: what is written, and that the parity figures mean something.
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "data/adapter_folder.h"
#include "data/gguf.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/weights_nn.h"
#include "pipeline/export_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::pipeline::exporter {
namespace {

/// folder / "base": a small model with weights wide enough to tell tokens apart; folder /
/// "adapter": one of its adapters, whose tokenizer and endings are the base model's.
void write_models(const TemporaryFolder& folder) {
  BpeTrainOptions options;
  options.vocab_size = 262;
  const Tokenizer tokenizer = Tokenizer::train({{{}, "plain words of no meaning", 0}}, options);
  llm::ModelConfig model;
  model.family = "qwen3";
  model.vocab_size = 280;
  model.hidden_size = 32;
  model.intermediate_size = 48;
  model.num_hidden_layers = 2;
  model.num_attention_heads = 2;
  model.initializer_range = 0.3;
  llm::Decoder decoder(model);
  const cupel::Run run(RunOptions{.seed = 9});
  decoder.initialise(run);
  std::filesystem::create_directories(folder / "base");
  std::filesystem::create_directories(folder / "adapter");
  llm::save_model(folder / "base", decoder, {tokenizer.bos_id(), tokenizer.eos_id()});
  tokenizer.save(folder / "base");
  folder.write("base/generation_config.json", R"({"eos_token_id": [0, 3]})");
  folder.write("base/chat_template.jinja", "{{ messages }}");
  llm::add_adapters(decoder, {}, run, "here");
  at::NoGradGuard no_grad;
  for (const auto& item : decoder.named_parameters()) {
    if (item.key().ends_with(".lora_B.weight"))
      item.value().copy_(random_tensor(item.value().sizes().vec(), 4, 0.1));
  }
  llm::save_adapters(folder / "adapter", decoder, {}, (folder / "base").string());
}

Report export_in(const TemporaryFolder& folder, const std::string& model, const std::string& out,
                 std::optional<WeightType> dtype = WeightType::f32,
                 Format format = Format::safetensors) {
  Config config;
  config.model = {(folder / model).string()};
  config.dtype = dtype;
  config.format = format;
  RunOptions options;
  options.folder = folder / out;
  options.threads = 2;
  cupel::Run run(options);
  return exporter::run(config, run);
}

at::Tensor logits_of(const std::filesystem::path& model) {
  at::NoGradGuard no_grad;
  llm::Decoder decoder(llm::read_model_config(model / "config.json"));
  llm::load_weights(model, decoder);
  return decoder.logits(at::arange(40, at::kLong).unsqueeze(0));
}

TEST(ExportModelRun, WritesTheMergedModelOfAnAdapterWithAllThatItsBaseModelHas) {
  const TemporaryFolder folder;
  write_models(folder);
  const Report report = export_in(folder, "adapter", "run");
  EXPECT_EQ(report.adapted_layers, 14);
  EXPECT_EQ(report.parity.tokens, 256);
  EXPECT_TRUE(report.parity.pass);
  EXPECT_LT(report.parity.max_logit_error, 1e-5);
  EXPECT_EQ(report.parity.top1_agreement, 1);
  EXPECT_NEAR(report.parity.perplexity_delta / report.parity.perplexity_before, 0, 1e-5);
  const std::filesystem::path model = folder / "run/model";
  for (const char* name : {"tokenizer.json", "generation_config.json", "chat_template.jinja"})
    EXPECT_EQ(read_file(model / name), read_file(folder / "base" / name)) << name;
  EXPECT_FALSE(is_adapter(model));
  EXPECT_GT(relative_gap(logits_of(model), logits_of(folder / "base")), 0.01);
  EXPECT_GT(report.bytes, report.parameters * 4);
}

TEST(ExportModelRun, WritesSixteenBitWeightsAndMeasuresWhatThatCosts) {
  const TemporaryFolder folder;
  write_models(folder);
  double before = 0;
  for (const WeightType dtype : {WeightType::f32, WeightType::f16, WeightType::bf16}) {
    const std::string out(name_of(dtype));
    const Report report = export_in(folder, "base", out, dtype);
    EXPECT_EQ(report.adapted_layers, 0);
    EXPECT_TRUE(report.parity.pass) << out << ": " << report.parity.max_logit_error;
    EXPECT_GE(report.parity.max_logit_error, before) << out;
    EXPECT_LE(report.parity.top1_agreement, 1);
    before = report.parity.max_logit_error + 1e-5;
    const Safetensors file = Safetensors::open(folder / out / std::string("model"));
    for (const TensorEntry& entry : file.tensors())
      EXPECT_EQ(dtype_bytes(entry.dtype), dtype == WeightType::f32 ? 4 : 2) << entry.name;
  }
}

TEST(ExportModelRun, WritesAGgufFileOfTheMergedModelWithItsTokenizerAndTemplate) {
  const TemporaryFolder folder;
  write_models(folder);
  const Report report = export_in(folder, "adapter", "run", std::nullopt, Format::gguf);
  EXPECT_EQ(report.model, "model.gguf");
  EXPECT_EQ(report.adapted_layers, 14);
  EXPECT_TRUE(report.parity.pass);
  EXPECT_GT(report.parity.max_logit_error, 1e-5);  // fp16
  EXPECT_LT(report.parity.max_logit_error, 0.02);
  const Gguf file = Gguf::open(folder / "run/model.gguf");
  EXPECT_EQ(report.bytes,
            static_cast<int64_t>(std::filesystem::file_size(folder / "run/model.gguf")));
  EXPECT_EQ(file.at("general.architecture").as_text(""), "qwen3");
  EXPECT_EQ(file.at("tokenizer.chat_template").as_text(""), "{{ messages }}");
  EXPECT_EQ(file.at("tokenizer.ggml.eot_token_id").as_int(""), 3);
  EXPECT_EQ(file.tensor("blk.0.ffn_up.weight")->type, GgufType::f16);
  const std::string text = "plain words";
  EXPECT_EQ(load_tokenizer(folder / "run/model.gguf").encode(text),
            Tokenizer::load(folder / "base").encode(text));
}

TEST(ExportModelRun, AGgufFileInFp32HasTheModelsOwnLogits) {
  const TemporaryFolder folder;
  write_models(folder);
  const Report report = export_in(folder, "base", "run", WeightType::f32, Format::gguf);
  EXPECT_EQ(report.parity.max_logit_error, 0);
  EXPECT_EQ(report.parity.top1_agreement, 1);
}

TEST(ExportModelRun, AWeightThatFp16CannotHoldFails) {
  const TemporaryFolder folder;
  write_models(folder);
  llm::Decoder decoder(llm::read_model_config(folder / "base/config.json"));
  llm::load_weights(folder / "base", decoder);
  {
    at::NoGradGuard no_grad;
    decoder.named_parameters()["lm_head.weight"].mul_(1e6);
  }
  llm::save_model(folder / "base", decoder, {});
  const Report report = export_in(folder, "base", "run", WeightType::f16);
  EXPECT_FALSE(report.parity.pass);
  EXPECT_EQ(report.exit_code(), 1);
}

TEST(ExportModelRun, ATokenizerOfAnotherModelIsRefused) {
  const TemporaryFolder folder;
  write_models(folder);
  std::string config = read_file(folder / "base/config.json");
  config.replace(config.find("280"), 3, "200");
  folder.write("base/config.json", config);
  EXPECT_THAT([&] { export_in(folder, "base", "run"); },
              throws_error(ErrorKind::data, "a vocab_size of 200"));
}

}  // namespace
}  // namespace cupel::pipeline::exporter
