// Where the model lies that a low-rank adapter (LoRA) in a folder belongs to.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/json.h"

namespace cupel {

inline constexpr std::string_view kAdapterConfig = "adapter_config.json";
inline constexpr std::string_view kAdapterWeights = "adapter_model.safetensors";

/// A folder as PEFT saves an adapter: adapter_config.json, and no weights of a whole model beside.
bool is_adapter(const std::filesystem::path& model);

/// The text of its adapter_config.json. Throws Error{data} for what is no JSON object.
json::Value adapter_config(const std::filesystem::path& adapter);

/// What base_model_name_or_path of adapter_config.json names: a path (relative ones to the working
/// directory, as PEFT has it, or else to the adapter's folder), or a model in the Hugging Face
/// cache. Throws Error{data} where it names none or another adapter, Error{config} where that model
/// is not there.
std::filesystem::path base_of_adapter(const std::filesystem::path& adapter);

/// `name` in the folder of `model`; of an adapter that has no such file, beside its base model. The
/// file need not exist.
std::filesystem::path file_of_model(const std::filesystem::path& model, std::string_view name);

}  // namespace cupel
