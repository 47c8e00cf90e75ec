// `train`: a language model from text or instructions, or a classifier of texts, in mixed
// precision, resumable to the bit.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "nn/device.h"
#include "nn/fit.h"
#include "nn/hooks.h"
#include "nn/llm/adapter.h"
#include "nn/llm/config.h"
#include "train/other_tools.h"

namespace cupel::train {

/// causal_lm: a decoder that predicts the next token. classify: a BERT encoder that puts a text
/// into a class (train/classify.h).
enum class Task { causal_lm, classify };
constexpr std::array<std::string_view, 2> names(Task) { return {"causal_lm", "classify"}; }
static_assert(names(Task{}).size() == static_cast<std::size_t>(Task::classify) + 1);

/// text: documents joined by the end-of-text token. completion: {prompt, completion} rows as they
/// stand, loss on the completion. arithmetic: rows from the seeded generator of multi-step
/// arithmetic and logic problems, no path. grammar: documents of a seeded grammar (data/grammar.h),
/// no path. The others are chats, rendered by the chat template,
/// loss on what roles_to_train say; `chat` takes any of them, by a row's fields.
enum class DatasetType {
  text,
  completion,
  arithmetic,
  grammar,
  chat,
  messages,
  sharegpt,
  alpaca,
  prompt_completion,
  query_response
};
constexpr std::array<std::string_view, 10> names(DatasetType) {
  return {"text",     "completion", "arithmetic", "grammar",           "chat",
          "messages", "sharegpt",   "alpaca",     "prompt_completion", "query_response"};
}
static_assert(names(DatasetType{}).size() ==
              static_cast<std::size_t>(DatasetType::query_response) + 1);
constexpr bool is_chat(DatasetType type) { return type >= DatasetType::chat; }
constexpr bool is_generated(DatasetType type) {
  return type == DatasetType::arithmetic || type == DatasetType::grammar;
}

/// What becomes of a row longer than sequence_len.
enum class ExcessLength { drop, truncate, split, raise };
constexpr std::array<std::string_view, 4> names(ExcessLength) {
  return {"drop", "truncate", "split", "raise"};
}
static_assert(names(ExcessLength{}).size() == static_cast<std::size_t>(ExcessLength::raise) + 1);

/// Which weights are trained: all, or those of low-rank adapters (LoRA) beside frozen ones.
enum class Adapter { none, lora };
constexpr std::array<std::string_view, 2> names(Adapter) { return {"none", "lora"}; }
static_assert(names(Adapter{}).size() == static_cast<std::size_t>(Adapter::lora) + 1);
constexpr std::array<std::pair<std::string_view, Adapter>, 1> aliases(Adapter) {
  return {{{"full", Adapter::none}}};
}

struct DatasetConfig {
  Path path;
  DatasetType type = DatasetType::text;
  std::string text_field = "text";
  std::string prompt_field = "prompt";
  std::string completion_field = "completion";
  std::string label_field = "label";
  std::string field_messages = {};
  std::map<std::string, std::string> message_property_mappings = {};
  std::vector<std::string> roles_to_train = {"assistant"};
  std::string split = {};
  std::vector<std::string> columns = {};
  int64_t rows = 20000;
  double weight = 1;
  static constexpr auto fields() {
    using C = DatasetConfig;
    return std::tuple{
        Field{"path", &C::path, "file of documents or rows"},
        Field{"type", &C::type, "what a row is"},
        Field{"text_field", &C::text_field, "field of a document's text"},
        Field{"prompt_field", &C::prompt_field, "field of a row's prompt"},
        Field{"completion_field", &C::completion_field, "field of a row's completion"},
        Field{"label_field", &C::label_field, "field of a text's class (task: classify)"},
        Field{"field_messages", &C::field_messages,
              "field of a chat's messages; default: messages or conversations"},
        Field{"message_property_mappings", &C::message_property_mappings,
              "names in a row of a message's properties, as in {role: from, content: value}"},
        Field{"roles_to_train", &C::roles_to_train, "whose turns of a chat are learned"},
        Field{"split", &C::split, "which member of a .json object of splits"},
        Field{"columns", &C::columns, "names of the fields of rows that are arrays"},
        Field{"rows", &C::rows, "problems (arithmetic) or documents (grammar) to generate", 1, 1e9},
        Field{"weight", &C::weight,
              "an epoch takes this times the set's own sequences: 0.5 = a random half, 2 = each "
              "twice",
              0, 1e6}};
  }
};

/// A folder that need not be there yet; like every path it is relative to the recipe.
struct FolderPath : Path {};

struct TokenizerConfig {
  Path path;
  std::optional<int64_t> vocab_size;
  static constexpr std::string_view kShorthand = "path";
  static constexpr auto fields() {
    using C = TokenizerConfig;
    return std::tuple{Field{"path", &C::path, "tokenizer.json or the folder that holds it"},
                      Field{"vocab_size", &C::vocab_size,
                            "train a byte-level BPE of this size on the data", 257, 1e6}};
  }
};

struct SampleConfig {
  std::vector<std::string> prompts;
  int64_t max_new_tokens = 64;
  double temperature = 0.8;
  static constexpr auto fields() {
    using C = SampleConfig;
    return std::tuple{Field{"prompts", &C::prompts, "continued before and after training"},
                      Field{"max_new_tokens", &C::max_new_tokens, "tokens a sample", 1, 1e5},
                      Field{"temperature", &C::temperature, "0 = greedy", 0, 100}};
  }
};

struct Config : nn::FitConfig {
  Task task = Task::causal_lm;
  std::optional<llm::ModelConfig> model;
  ModelPath base_model;
  TokenizerConfig tokenizer;
  std::vector<DatasetConfig> datasets;
  FolderPath dataset_prepared_path;
  double val_set_size = 0.05;
  int64_t sequence_len = 256;
  bool sample_packing = true;
  std::optional<ExcessLength> excess_length_strategy;
  bool train_on_inputs = false;
  std::string chat_template = {};
  Path chat_template_jinja;
  double dropout = 0;
  Adapter adapter = Adapter::none;
  int64_t lora_r = 16;
  std::optional<double> lora_alpha;
  double lora_dropout = 0;
  std::vector<Word> lora_target_modules{{std::string(llm::kAllLinear)}};
  bool lora_use_rslora = false;
  double mtp_loss_weight = 0.3;
  double router_bias_update_rate = 0.001;
  nn::DeviceKind device = nn::DeviceKind::automatic;
  bool tf32 = false;
  SampleConfig samples;

  static constexpr auto fields() {
    using C = Config;
    return std::tuple_cat(
        std::tuple{
            Field{"task", &C::task,
                  "causal_lm: a language model; classify: a BERT encoder that puts texts into "
                  "classes"},
            Field{"model", &C::model, "shape of a new model"},
            Field{"base_model", &C::base_model,
                  "model to go on from: folder, .gguf file, or org/name in the Hugging Face cache"}
                .also("model_name_or_path"),
            Field{"tokenizer", &C::tokenizer,
                  "tokenizer.json, or {vocab_size} to train one; default: base_model's"},
            Field{"datasets", &C::datasets, "what to learn from"},
            Field{"dataset_prepared_path", &C::dataset_prepared_path,
                  "folder that keeps tokens for other runs, by a hash of what they are made from; "
                  "default: in the run's folder until it ends"}
                .also("tokenized_path"),
            Field{"val_set_size", &C::val_set_size, "share of each data set kept for validation", 0,
                  0.5}
                .also("val_size"),
            Field{"sequence_len", &C::sequence_len, "tokens a sequence", 2, 1e6}.also(
                "cutoff_len", "max_length", "max_seq_length"),
            Field{"sample_packing", &C::sample_packing,
                  "several rows a sequence, kept apart by the attention mask"}
                .also("packing"),
            Field{"excess_length_strategy", &C::excess_length_strategy,
                  "what becomes of a row longer than sequence_len; to be chosen once there is one"},
            Field{"train_on_inputs", &C::train_on_inputs, "learn all of a row, prompts too"}.also(
                "train_on_prompt"),
            Field{"chat_template", &C::chat_template,
                  "one of ours by name: chatml, llama3, llama2, mistral, gemma, "
                  "deepseek_v3; default: the tokenizer's"}
                .also("template"),
            Field{"chat_template_jinja", &C::chat_template_jinja, "file of a chat template"},
            Field{"dropout", &C::dropout, "dropout of the residual branches", 0, 0.9},
            Field{"adapter", &C::adapter,
                  "train low-rank adapters (LoRA) beside base_model's frozen weights, or all "
                  "weights"}
                .also("finetuning_type"),
            Field{"lora_r", &C::lora_r, "rank of the adapters", 1, llm::kMostRank}.also(
                "lora_rank"),
            Field{"lora_alpha", &C::lora_alpha,
                  "adapters count lora_alpha / lora_r times; default: twice lora_r", 0, 1e6},
            Field{"lora_dropout", &C::lora_dropout, "dropout of what adapters read", 0, 0.9},
            Field{"lora_target_modules", &C::lora_target_modules,
                  "linear layers of the blocks that get one, by the end of their name, as q_proj"}
                .also("lora_target"),
            Field{"lora_use_rslora", &C::lora_use_rslora,
                  "lora_alpha over the root of lora_r (rank-stabilised)"},
            Field{"mtp_loss_weight", &C::mtp_loss_weight,
                  "weight of the multi-token prediction loss", 0, 10},
            Field{"router_bias_update_rate", &C::router_bias_update_rate,
                  "step of the router's balancing bias (DeepSeek-V3, section 2.1.2)", 0, 1},
            Field{"device", &C::device,
                  "where the steps run; the CPU where there is no usable GPU"},
            Field{"tf32", &C::tf32, "on a GPU, fp32 products on 19-bit operands: faster"},
            Field{"samples", &C::samples, "texts to continue before and after"}},
        nn::FitConfig::fields());
  }
  static constexpr auto kElsewhere = kOtherTools;
  std::vector<std::string> problems() const;
  llm::AdapterConfig adapter_config() const;
};

struct Sample {
  std::string prompt, before, after;
  static constexpr auto fields() {
    return std::tuple{Field{"prompt", &Sample::prompt, "given"},
                      Field{"before", &Sample::before, "untrained"},
                      Field{"after", &Sample::after, "trained"}};
  }
};

struct Report {
  int64_t world_size = 1, steps = 0, tokens = 0, parameters = 0, active_parameters = 0;
  int64_t trainable_parameters = 0;
  double train_loss = 0;
  std::optional<double> val_loss, val_bits_per_byte, val_accuracy, val_f1;
  double tokens_per_second = 0;
  nn::StepTime step_ms;
  int64_t planned_memory_bytes = 0, peak_tensor_bytes = 0;
  nn::DeviceReport device;
  nn::PrecisionReport precision;
  std::optional<nn::LossScaleReport> loss_scale;
  std::optional<int64_t> resumed_from;
  double max_expert_load = 0;
  std::vector<Sample> samples;
  std::string model;  // folder of the trained model, relative to the run

  /// The samples, for people.
  std::string details() const;

  static constexpr auto fields() {
    using C = Report;
    return std::tuple{
        Field{"steps", &C::steps, "optimizer steps, skipped ones among them"},
        Field{"tokens", &C::tokens, "tokens seen, by all processes"},
        Field{"parameters", &C::parameters, "weights of the model"},
        Field{"active_parameters", &C::active_parameters, "weights that one token passes through"},
        Field{"trainable_parameters", &C::trainable_parameters,
              "weights that are trained: all, or those of the adapters"},
        Field{"train_loss", &C::train_loss, "mean over the last logging period, nats a label"},
        Field{"val_loss", &C::val_loss, "nats a label, null without validation"},
        Field{"val_bits_per_byte", &C::val_bits_per_byte, "validation loss over bytes of text"},
        Field{"val_accuracy", &C::val_accuracy, "share of right answers (task: classify)"},
        Field{"val_f1", &C::val_f1, "mean F1 of the classes (task: classify)"},
        Field{"world_size", &C::world_size, "processes that trained it"},
        Field{"tokens_per_second", &C::tokens_per_second,
              "of all processes, over the training steps alone"},
        Field{"step_ms", &C::step_ms, "milliseconds a step"},
        Field{"planned_memory_bytes", &C::planned_memory_bytes,
              "what plan foretold for peak_tensor_bytes"},
        Field{"peak_tensor_bytes", &C::peak_tensor_bytes,
              "high-water mark of the tensor allocator"},
        Field{"device", &C::device, "asked for, used, why"},
        Field{"precision", &C::precision, "asked for, used, why"},
        Field{"loss_scale", &C::loss_scale, "dynamic loss scaling, null where it was off"},
        Field{"resumed_from", &C::resumed_from, "step of the checkpoint the run went on from"},
        Field{"max_expert_load", &C::max_expert_load, "busiest expert over the mean, last step"},
        Field{"samples", &C::samples, "texts before and after"},
        Field{"model", &C::model, "folder of the trained model"}};
  }
};

/// Reads the data sets, trains and writes model/; a run that resumes goes on from its newest intact
/// checkpoint. `hooks` are what a caller may change of the loop. Throws Error{config} for settings
/// or a base model that do not fit each other, Error{data} for data sets without a good row or a
/// full sequence, Error{resource} where more memory is planned than is available or the disk is
/// full, Error{numeric} when the loss has left the finite world, Interrupted after a full save when
/// asked to stop.
Report run(const Config& config, const nn::FitHooks& hooks, Run& run);

}  // namespace cupel::train
