#include "nn/encoder_weights.h"

#include <gtest/gtest.h>

#include <cstring>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

const std::filesystem::path kTinyEncoder =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/encoder/tiny";

/// The weights of the tiny model after `change` to its tensors.
EncoderWeights changed(const std::function<void(std::vector<TensorEntry>&)>& change,
                       const NumberFormat& format = {}) {
  const TemporaryFolder folder;
  const Safetensors original = Safetensors::open(kTinyEncoder);
  std::vector<TensorEntry> tensors = original.tensors();
  change(tensors);
  write_safetensors(folder / "model.safetensors", tensors);
  return take_encoder_weights(Safetensors::open(folder.path()), read_encoder_config(kTinyEncoder),
                              format, "m");
}

TensorEntry& named(std::vector<TensorEntry>& tensors, std::string_view name) {
  for (TensorEntry& entry : tensors)
    if (entry.name == name) return entry;
  throw std::out_of_range(std::string(name));
}

TEST(EncoderWeights, QueryKeyAndValueStandBelowEachOther) {
  const EncoderWeights weights = changed([](auto&) {});
  ASSERT_EQ(weights.layers.size(), 2u);
  const PackedLinear& linear = weights.layers[1].query_key_value;
  EXPECT_EQ(linear.out, 72);
  EXPECT_EQ(linear.in, 24);
  const Safetensors file = Safetensors::open(kTinyEncoder);
  const TensorEntry* key = file.find("encoder.layer.1.attention.self.key.weight");
  EXPECT_EQ(std::memcmp(linear.weight.data() + key->bytes, key->data,
                        static_cast<std::size_t>(key->bytes)),
            0);
  EXPECT_EQ(weights.first_type.size(), 24u);
}

TEST(EncoderWeights, AModelWithHeadsHasItsEncoderUnderAPrefix) {
  const EncoderWeights plain = changed([](auto&) {});
  const EncoderWeights prefixed = changed([](std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) entry.name = "bert." + entry.name;
  });
  EXPECT_EQ(prefixed.words, plain.words);
  EXPECT_EQ(prefixed.layers[0].down.weight, plain.layers[0].down.weight);
}

TEST(EncoderWeights, SixteenBitTensorsAreRead) {
  const EncoderWeights plain = changed([](auto&) {}, {Element::bf16});
  std::vector<uint16_t> bits(24 * 24);
  const EncoderWeights half = changed(
      [&](std::vector<TensorEntry>& tensors) {
        TensorEntry& entry = named(tensors, "encoder.layer.0.attention.output.dense.weight");
        std::vector<float> values(bits.size());
        std::memcpy(values.data(), entry.data, values.size() * sizeof(float));
        kernels().to_16bit(values.data(), bits.data(), Element::bf16, 24 * 24);
        entry.dtype = Dtype::bf16;
        entry.data = reinterpret_cast<const std::byte*>(bits.data());
        entry.bytes /= 2;
      },
      {Element::bf16});
  EXPECT_EQ(half.layers[0].attention_out.weight, plain.layers[0].attention_out.weight);
}

TEST(EncoderWeights, DoublesAreRounded) {
  const EncoderWeights plain = changed([](auto&) {});
  std::vector<double> wide(24);
  const EncoderWeights read = changed([&](std::vector<TensorEntry>& tensors) {
    TensorEntry& entry = named(tensors, "encoder.layer.0.output.dense.bias");
    for (std::size_t i = 0; i < wide.size(); ++i) {
      float value;
      std::memcpy(&value, entry.data + i * sizeof value, sizeof value);
      wide[i] = static_cast<double>(value);
    }
    entry.dtype = Dtype::f64;
    entry.data = reinterpret_cast<const std::byte*>(wide.data());
    entry.bytes *= 2;
  });
  EXPECT_EQ(read.layers[0].down.bias, plain.layers[0].down.bias);
}

TEST(EncoderWeights, LinearLayersAloneBecomeEightBitIntegers) {
  const EncoderWeights plain = changed([](auto&) {});
  const EncoderWeights weights = changed([](auto&) {}, {Element::bf16, LinearFormat::int8});
  EXPECT_EQ(weights.format.linear, LinearFormat::int8);
  EXPECT_EQ(weights.words, plain.words);
  const PackedLinear &linear = weights.layers[0].up, &exact = plain.layers[0].up;
  EXPECT_TRUE(linear.weight.empty());
  EXPECT_EQ(linear.bias, exact.bias);
  // The unit vectors times the layer are its columns.
  const int64_t in = linear.in, out = linear.out, row_bytes = int8_row_bytes(in);
  std::vector<uint8_t> unit(static_cast<std::size_t>((in + 15) / 16 * 16 * row_bytes));
  for (int64_t i = 0; i < in; ++i) unit[static_cast<std::size_t>(i * row_bytes + i)] = 1;
  const std::vector<float> scales(static_cast<std::size_t>(in), 1.0f);
  const std::vector<int32_t> zeros(static_cast<std::size_t>(in));
  std::vector<float> columns(static_cast<std::size_t>(in * out));
  kernels().gemm_int8({in, out, in, unit.data(), row_bytes, scales.data(), zeros.data(),
                       linear.int8.matrix(), columns.data(), out, false});
  for (int64_t j = 0; j < out; ++j) {
    const float step = linear.int8.scales[static_cast<std::size_t>(j)];
    for (int64_t i = 0; i < in; ++i) {
      float value;
      std::memcpy(&value, exact.weight.data() + (j * in + i) * 4, 4);
      EXPECT_NEAR(columns[static_cast<std::size_t>(i * out + j)], value, 0.51f * step);
    }
  }
}

TEST(EncoderWeights, ATensorThatNobodyAsksForIsRefusedUnlessItIsAHeads) {
  const auto with = [](const std::string& name) {
    changed([&](std::vector<TensorEntry>& tensors) {
      tensors.push_back(named(tensors, "encoder.layer.0.output.dense.bias"));
      tensors.back().name = name;
    });
  };
  with("pooler.dense.bias");
  with("cls.predictions.bias");
  EXPECT_THAT([&] { with("encoder.layer.2.output.dense.bias"); },
              throws_error(ErrorKind::data,
                           "tensor encoder.layer.2.output.dense.bias is unexpected; config.json "
                           "describes another model"));
}

TEST(EncoderWeights, TensorsThatDoNotFitAreRefusedByName) {
  EXPECT_THAT([] { changed([](auto& tensors) { tensors.erase(tensors.begin()); }); },
              throws_error(ErrorKind::data, "m: tensor embeddings.LayerNorm.bias is missing"));
  EXPECT_THAT(
      [] {
        changed([](auto& tensors) {
          named(tensors, "encoder.layer.0.output.dense.bias").shape = {4, 6};
        });
      },
      throws_error(ErrorKind::data,
                   "tensor encoder.layer.0.output.dense.bias is [4, 6], config.json says [24]"));
  EXPECT_THAT(
      [] {
        changed([](auto& tensors) {
          named(tensors, "encoder.layer.0.output.dense.bias").dtype = Dtype::i32;
        });
      },
      throws_error(ErrorKind::data, "dense.bias has type I32; known: F32, F64, F16, BF16"));
}

}  // namespace
}  // namespace cupel::nn
