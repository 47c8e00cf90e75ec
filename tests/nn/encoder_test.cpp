#include "nn/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/reference_loops.h"
#include "support/token_cases.h"

namespace cupel::nn {
namespace {

const std::filesystem::path kFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/encoder";
const std::filesystem::path kTiny = kFixtures / "tiny";

std::vector<std::string> texts_of(const std::filesystem::path& file) {
  std::vector<std::string> texts;
  for (const TokenCase& sample : read_token_cases(file)) texts.push_back(sample.text);
  return texts;
}

std::vector<float> encode(const Encoder& encoder, const std::vector<std::string>& texts,
                          int threads = 1) {
  ThreadPool pool(threads);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return encoder.encode(views, pool);
}

std::vector<float> stored_vectors(const std::filesystem::path& file) {
  const Safetensors tensors = Safetensors::open(file);
  const TensorEntry* entry = tensors.find("vectors");
  std::vector<float> values(static_cast<std::size_t>(entry->bytes) / sizeof(float));
  std::memcpy(values.data(), entry->data, static_cast<std::size_t>(entry->bytes));
  return values;
}

/// The least cosine over rows of `width`.
double least_cosine(const std::vector<float>& a, const std::vector<float>& b, int64_t width) {
  EXPECT_EQ(a.size(), b.size());
  double least = 1;
  for (std::size_t row = 0; row < a.size(); row += static_cast<std::size_t>(width)) {
    double dot = 0;
    for (std::size_t i = row; i < row + static_cast<std::size_t>(width); ++i)
      dot += static_cast<double>(a[i]) * b[i];
    least = std::min(least, dot);
  }
  return least;
}

struct Rounded {
  EncoderPrecision precision;
  double least_cosine;
};

/// Vectors in fp32 are those of the reference, rounded ones near them.
void expect_reference(const std::filesystem::path& model, const std::string& name,
                      const std::vector<Rounded>& formats) {
  const std::vector<std::string> texts = texts_of(kFixtures / (name + ".json"));
  const std::vector<float> expected = stored_vectors(kFixtures / (name + ".safetensors"));
  const Encoder exact = Encoder::load(model, EncoderPrecision::fp32);
  const std::vector<float> actual = encode(exact, texts);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-5) << i;
  for (const auto& [precision, cosine] : formats) {
    const std::vector<float> rounded = encode(Encoder::load(model, precision), texts);
    EXPECT_GE(least_cosine(rounded, expected, exact.width()), cosine)
        << static_cast<int>(precision);
    EXPECT_NE(rounded, actual) << static_cast<int>(precision);
  }
}

TEST(Encoder, GivesTheVectorsOfTheReferenceForATinyModel) {
  expect_reference(kTiny, "tiny/expected",
                   {{EncoderPrecision::bf16, 0.999},
                    {EncoderPrecision::fp16, 0.999},
                    {EncoderPrecision::int8, 0.99}});
}

TEST(Encoder, GivesTheVectorsOfTheReferenceForMiniLm) {
  std::filesystem::path folder;
  try {
    folder = default_encoder_folder();
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  std::vector<Rounded> formats = {{EncoderPrecision::bf16, 0.999}, {EncoderPrecision::int8, 0.995}};
  if (!kSanitized) formats.push_back({EncoderPrecision::w4a8, 0.92});
  expect_reference(folder, "minilm", formats);
  const WordPiece tokenizer = WordPiece::load(folder);
  for (const TokenCase& sample : read_token_cases(kFixtures / "minilm_awkward.json"))
    EXPECT_EQ(tokenizer.encode(sample.text), sample.ids) << sample.text;
}

TEST(Encoder, AVectorDependsOnItsTextAloneToTheBit) {
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i)
    texts.push_back("the cat " + std::string(static_cast<std::size_t>(i * 7 % 31), 'a'));
  for (const EncoderPrecision precision :
       {EncoderPrecision::fp32, EncoderPrecision::bf16, EncoderPrecision::int8}) {
    const Encoder encoder = Encoder::load(kTiny, precision);
    const std::vector<float> all = encode(encoder, texts);
    EXPECT_EQ(encode(encoder, texts, 3), all) << "threads";
    for (const std::size_t i : {std::size_t{0}, std::size_t{77}, std::size_t{149}}) {
      const std::vector<float> one = encode(encoder, {texts[i]});
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i) * encoder.width();
      EXPECT_EQ(one, std::vector<float>(begin, begin + encoder.width())) << i;
    }
  }
}

TEST(Encoder, VectorsHaveUnitLengthAndNoTextsGiveNone) {
  const Encoder encoder = Encoder::load(kTiny, EncoderPrecision::mixed);
  EXPECT_EQ(encoder.precision().compute, EncoderPrecision::bf16);
  const std::vector<float> vectors = encode(encoder, {"the cat", ""});
  EXPECT_NEAR(least_cosine(vectors, vectors, encoder.width()), 1, 1e-6);
  EXPECT_THAT(encode(encoder, {}), testing::IsEmpty());
}

TEST(Encoder, ServesTheSeam) {
  ThreadPool pool(2);
  const Embedder embedder = make_embedder(Encoder::load(kTiny, EncoderPrecision::fp32), pool);
  EXPECT_EQ(embedder.dim, 24);
  EXPECT_EQ(embedder.precision, "fp32");
  const std::string_view text = "the cat";
  EXPECT_EQ(embedder.embed({&text, 1}),
            encode(Encoder::load(kTiny, EncoderPrecision::fp32), {std::string(text)}));
}

TEST(Encoder, FilesThatDoNotBelongTogetherAreRefused) {
  const TemporaryFolder folder;
  for (const char* name : {"config.json", "model.safetensors"})
    folder.write(name, read_file(kTiny / name));
  EXPECT_THAT([&] { Encoder::load(folder.path()); },
              throws_error(ErrorKind::config, "folder has neither tokenizer.json nor vocab.txt"));
  folder.write("vocab.txt", read_file(kTiny / "vocab.txt") + "more\n");
  EXPECT_THAT([&] { Encoder::load(folder.path()); },
              throws_exactly(ErrorKind::data,
                             folder.path().string() +
                                 ": the tokenizer has 103 tokens, config.json says vocab_size 102; "
                                 "fetch all files from one place"));
}

TEST(Encoder, TheDefaultModelLiesBelowCupelHome) {
  const char* before = std::getenv("CUPEL_HOME");
  const std::string saved = before == nullptr ? "" : before;
  const TemporaryFolder home;
  ::setenv("CUPEL_HOME", home.path().c_str(), 1);
  EXPECT_THAT([] { default_encoder_folder(); },
              throws_error(ErrorKind::config, "run scripts/setup --models"));
  home.write("models/all-MiniLM-L6-v2/config.json", "{}");
  EXPECT_EQ(default_encoder_folder(), home / "models/all-MiniLM-L6-v2");
  before == nullptr ? ::unsetenv("CUPEL_HOME") : ::setenv("CUPEL_HOME", saved.c_str(), 1);
}

}  // namespace
}  // namespace cupel::nn
