// What axolotl, TRL and LLaMA-Factory call what is done otherwise here, or not at all: such a key
// is refused with the words that stand here.
#pragma once

#include <array>
#include <string_view>

#include "base/config.h"

namespace cupel::train {

namespace hint {
inline constexpr std::string_view kWholeWeights =
    "leave it out: a base model is read whole; adapter: lora trains little beside it";
inline constexpr std::string_view kAdaptersAlone =
    "leave it out: adapter: lora trains adapters of the blocks' linear layers alone";
inline constexpr std::string_view kMerge =
    "leave it out, merge that adapter by cupel export, and write the result as base_model";
inline constexpr std::string_view kLearned =
    "leave it out: of rows the answer alone is learned, of type: text everything; "
    "train_on_inputs: true learns all of a row";
inline constexpr std::string_view kOneAttention =
    "leave it out: there is one kind of attention, and it needs no choice";
inline constexpr std::string_view kOneProcess =
    "leave it out: each process holds the whole model; nproc says how many train it together";
inline constexpr std::string_view kMetrics =
    "leave it out: metrics.jsonl and TensorBoard events are always written";
inline constexpr std::string_view kFolder = "name the run's folder with --out";
inline constexpr std::string_view kThreads = "write threads at the top of the recipe, or --threads";
inline constexpr std::string_view kDatasets = "write datasets: [{path: FILE, type: text}]";
inline constexpr std::string_view kValidation =
    "write val_set_size, the share of the data kept for validation";
inline constexpr std::string_view kEvery = "write eval_steps, the steps between validations";
inline constexpr std::string_view kSaves = "write save_steps, the steps between checkpoints";
inline constexpr std::string_view kPrecision = "write precision: fp32, bf16, fp16 or mixed";
inline constexpr std::string_view kValidationBatch =
    "leave it out: validation takes micro_batch_size sequences at once";
}  // namespace hint

inline constexpr std::array kOtherTools{
    Elsewhere{"bf16", "write precision: bf16"},
    Elsewhere{"fp16", "write precision: fp16"},
    Elsewhere{"torch_dtype", hint::kPrecision},
    Elsewhere{"dtype", hint::kPrecision},
    Elsewhere{"completion_only_loss", hint::kLearned},
    Elsewhere{"assistant_only_loss", hint::kLearned},
    Elsewhere{"special_tokens",
              "leave it out: they are those of tokenizer.json and tokenizer_config.json"},
    Elsewhere{"lora_target_linear", "write lora_target_modules: all-linear, which is the default"},
    Elsewhere{"lora_modules_to_save", hint::kAdaptersAlone},
    Elsewhere{"additional_target", hint::kAdaptersAlone},
    Elsewhere{"lora_model_dir", hint::kMerge},
    Elsewhere{"adapter_name_or_path", hint::kMerge},
    Elsewhere{"load_in_4bit", hint::kWholeWeights},
    Elsewhere{"load_in_8bit", hint::kWholeWeights},
    Elsewhere{"quantization_bit", hint::kWholeWeights},
    Elsewhere{"flash_attention", hint::kOneAttention},
    Elsewhere{"flash_attn", hint::kOneAttention},
    Elsewhere{"attn_implementation", hint::kOneAttention},
    Elsewhere{"deepspeed", hint::kOneProcess},
    Elsewhere{"fsdp", hint::kOneProcess},
    Elsewhere{"fsdp_config", hint::kOneProcess},
    Elsewhere{"wandb_project", hint::kMetrics},
    Elsewhere{"wandb_entity", hint::kMetrics},
    Elsewhere{"report_to", hint::kMetrics},
    Elsewhere{"run_name", hint::kFolder},
    Elsewhere{"output_dir", hint::kFolder},
    Elsewhere{"overwrite_output_dir",
              "leave it out: a run never writes over another; name a new folder with --out"},
    Elsewhere{"dataset", hint::kDatasets},
    Elsewhere{"dataset_dir", hint::kDatasets},
    Elsewhere{"dataset_text_field",
              "write text_field in the data set, as in datasets: [{path: FILE, text_field: body}]"},
    Elsewhere{"max_samples",
              "write weight in the data set: 0.5 takes a random half of it in every epoch"},
    Elsewhere{"eval_dataset", hint::kValidation},
    Elsewhere{"test_datasets", hint::kValidation},
    Elsewhere{"eval_strategy", hint::kEvery},
    Elsewhere{"evaluation_strategy", hint::kEvery},
    Elsewhere{"evals_per_epoch", hint::kEvery},
    Elsewhere{"save_strategy", hint::kSaves},
    Elsewhere{"saves_per_epoch", hint::kSaves},
    Elsewhere{"per_device_eval_batch_size", hint::kValidationBatch},
    Elsewhere{"eval_batch_size", hint::kValidationBatch},
    Elsewhere{"eval_sample_packing", "leave it out: validation is packed as sample_packing says"},
    Elsewhere{"pad_to_sequence_len", "leave it out: every sequence is padded to sequence_len"},
    Elsewhere{"dataset_processes", hint::kThreads},
    Elsewhere{"preprocessing_num_workers", hint::kThreads},
    Elsewhere{"dataloader_num_workers", hint::kThreads},
    Elsewhere{"do_train", "leave it out: cupel train trains"},
    Elsewhere{"stage", "leave it out: cupel train trains on text or on prompt and completion"},
    Elsewhere{"trust_remote_code", "leave it out: no code of a model is run"},
    Elsewhere{"plot_loss", "leave it out: report.html shows the loss"},
    Elsewhere{"resume_from_checkpoint", "leave it out and run with --resume"},
    Elsewhere{"seed", "write it at the top of the recipe, or as --seed"},
    Elsewhere{"threads", "write it at the top of the recipe, or as --threads"},
};

}  // namespace cupel::train
