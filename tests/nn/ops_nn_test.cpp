// The fast operations against the plain formulas: fp32 against fp64, 16 bit against rounded fp64.
#include "nn/ops_nn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/bridge_nn.h"
#include "nn/formulas_nn.h"

namespace cupel::nn {
namespace {

at::Tensor random(std::vector<int64_t> sizes, uint64_t seed, double spread = 1) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(sizes, generator, at::kDouble) * spread;
}

using Inputs = std::vector<at::Tensor>;
using Operation = std::function<at::Tensor(const Inputs&)>;

struct Outcome {
  at::Tensor value;
  Inputs gradients;
};

/// The operation on leaves of the given types (differentiable where floating) and the gradients of
/// sum(value * cotangent).
Outcome evaluate(const Operation& operation, const Inputs& inputs,
                 const std::vector<at::ScalarType>& types) {
  Inputs leaves;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    at::Tensor leaf = inputs[i].detach().to(types[i]).clone();
    if (leaf.is_floating_point()) leaf.requires_grad_();
    leaves.push_back(leaf);
  }
  Outcome outcome{operation(leaves), {}};
  const at::Tensor cotangent = random(outcome.value.sizes().vec(), 99);
  (outcome.value.to(at::kDouble) * cotangent).sum().backward();
  outcome.value = outcome.value.detach().to(at::kDouble);
  for (const at::Tensor& leaf : leaves)
    outcome.gradients.push_back(leaf.is_floating_point() ? leaf.grad().to(at::kDouble)
                                                         : at::Tensor());
  return outcome;
}

void expect_near(const at::Tensor& got, const at::Tensor& want, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(got.sizes(), want.sizes()) << what;
  const double scale = want.abs().max().item<double>() + 1e-30;
  EXPECT_LE((got - want).abs().max().item<double>() / scale, tolerance) << what;
}

/// Inputs are rounded to `type` (weights to fp32) before both sides see them.
void expect_equal_to_formula(const Operation& fast, const Operation& formula, const Inputs& inputs,
                             std::size_t activations, at::ScalarType type, double tolerance) {
  Inputs rounded;
  std::vector<at::ScalarType> fast_types, exact_types;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool real = inputs[i].is_floating_point();
    rounded.push_back(real ? inputs[i].to(type).to(at::kDouble) : inputs[i]);
    fast_types.push_back(!real ? inputs[i].scalar_type() : i < activations ? type : at::kFloat);
    exact_types.push_back(real ? at::kDouble : inputs[i].scalar_type());
  }
  const Outcome got = evaluate(fast, rounded, fast_types);
  const Outcome want = evaluate(formula, rounded, exact_types);
  expect_near(got.value, want.value, tolerance, "value");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (want.gradients[i].defined())
      expect_near(got.gradients[i], want.gradients[i], tolerance, "gradient " + std::to_string(i));
  }
}

void expect_equal_in_every_type(const Operation& fast, const Operation& formula,
                                const Inputs& inputs, std::size_t activations) {
  expect_equal_to_formula(fast, formula, inputs, activations, at::kFloat, 3e-6);
  expect_equal_to_formula(fast, formula, inputs, activations, at::kHalf, 4e-3);
  expect_equal_to_formula(fast, formula, inputs, activations, at::kBFloat16, 3e-2);
}

Weight operand_for(const at::Tensor& x, const at::Tensor& master) {
  return WeightCopy().get(master, x.scalar_type());
}

TEST(Ops, LinearsShareOneInputAndSumItsGradient) {
  const Operation fast = [](const Inputs& in) {
    const std::vector<at::Tensor> y =
        linears(in[0], {operand_for(in[0], in[1]), operand_for(in[0], in[2])});
    return at::cat({y[0], y[1]}, 1);
  };
  const Operation formula = [](const Inputs& in) {
    return at::cat({formulas::linear(in[0], {in[1], {}}), formulas::linear(in[0], {in[2], {}})}, 1);
  };
  expect_equal_in_every_type(
      fast, formula, {random({37, 24}, 1), random({19, 24}, 2, 0.2), random({33, 24}, 3, 0.2)}, 1);
}

TEST(Ops, AddRmsNormAddsTheBranchAndNormalisesTheSum) {
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    const Operation fast = [type](const Inputs& in) {
      const Normed result = add_rms_norm(in[1].to(at::kFloat), in[0], in[2], 1e-5, type);
      return at::cat({result.sum, result.normed.to(at::kFloat) * 2}, 1);
    };
    const Operation formula = [](const Inputs& in) {
      const at::Tensor sum = in[1] + in[0];
      return at::cat({sum, formulas::rms_norm(sum, in[2], 1e-5) * 2}, 1);
    };
    const double tolerance = type == at::kFloat ? 3e-6 : type == at::kHalf ? 4e-3 : 3e-2;
    expect_equal_to_formula(fast, formula,
                            {random({300, 40}, 1), random({300, 40}, 2), random({40}, 3)}, 1, type,
                            tolerance);
  }
}

TEST(Ops, RmsNormReadsRowsThatStandApart) {
  const at::Tensor wide = random({11, 50}, 4).to(at::kFloat);
  const at::Tensor weight = random({20}, 5).to(at::kFloat);
  const at::Tensor part = wide.narrow(1, 7, 20);
  expect_near(rms_norm(part, weight, 1e-6).to(at::kDouble),
              formulas::rms_norm(part.to(at::kDouble), weight.to(at::kDouble), 1e-6), 1e-6, "norm");
}

TEST(Ops, GatedMlpEqualsItsFormula) {
  const Operation fast = [](const Inputs& in) {
    return gated_mlp(
        in[0], {operand_for(in[0], in[1]), operand_for(in[0], in[2]), operand_for(in[0], in[3])});
  };
  const Operation formula = [](const Inputs& in) {
    return formulas::gated_mlp(in[0], {{in[1], {}}, {in[2], {}}, {in[3], {}}});
  };
  expect_equal_in_every_type(fast, formula,
                             {random({45, 24}, 1), random({31, 24}, 2, 0.2),
                              random({31, 24}, 3, 0.2), random({24, 31}, 4, 0.2)},
                             1);
}

ExpertWeights expert_weights(const Inputs& in, std::size_t at, bool operands) {
  const auto weight = [&](std::size_t i) {
    return operands ? operand_for(in[0], in[at + i]) : Weight{in[at + i], {}};
  };
  return {weight(0), weight(1), {weight(2), weight(3), weight(4)}};
}

TEST(Ops, ExpertsSumTheChosenOnesAndTheSharedOne) {
  // Expert 4 of 6 is chosen by nobody.
  at::Tensor ranks = random({60, 6}, 9);
  ranks.select(1, 4).fill_(-100);
  const at::Tensor choices = std::get<1>(ranks.topk(3, 1));
  const Operation fast = [](const Inputs& in) {
    return experts(in[0], in[2].to(at::kFloat), in[1], expert_weights(in, 3, true));
  };
  const Operation formula = [](const Inputs& in) {
    return formulas::experts(in[0], in[2], in[1], expert_weights(in, 3, false));
  };
  expect_equal_in_every_type(
      fast, formula,
      {random({60, 24}, 1), choices, random({60, 3}, 2).abs(), random({6, 22, 24}, 3, 0.2),
       random({6, 24, 11}, 4, 0.2), random({13, 24}, 5, 0.2), random({13, 24}, 6, 0.2),
       random({24, 13}, 7, 0.2)},
      1);
}

Positions packed_positions(int64_t batch, int64_t length, int64_t half, at::ScalarType type) {
  Positions positions{batch, length, {}, {}, {}};
  const at::Tensor angles = random({batch * length, half}, 12, 3);
  positions.cosine = angles.cos().to(type);
  positions.sine = angles.sin().to(type);
  // Documents begin at 0, length / 3 and length / 2 of every sequence.
  const at::Tensor index = at::arange(length, at::kInt);
  positions.first = at::zeros({batch, length}, at::kInt);
  for (const int64_t border : {length / 3, length / 2})
    positions.first.masked_fill_(index >= border, border);
  return positions;
}

TEST(Ops, AttentionSharesKeysWithinGroupsAndStaysInsideDocuments) {
  for (const bool interleaved : {false, true}) {
    const AttentionShape shape{6, 2, 0, 8, 10, 0.3, interleaved};
    const Operation fast = [&](const Inputs& in) {
      return attention(in[0], in[1], in[2], shape, packed_positions(2, 21, 4, at::kFloat));
    };
    const Operation formula = [&](const Inputs& in) {
      return formulas::attention(in[0], in[1], in[2], shape,
                                 packed_positions(2, 21, 4, at::kDouble));
    };
    expect_equal_in_every_type(fast, formula,
                               {random({42, 48}, 1), random({42, 16}, 2), random({42, 20}, 3)}, 3);
  }
}

TEST(Ops, LatentAttentionExpandsTheLatentAndSharesTheRotaryKey) {
  for (const bool interleaved : {false, true}) {
    const AttentionShape shape{3, 3, 6, 4, 5, 0.3, interleaved};
    const Operation fast = [&](const Inputs& in) {
      return latent_attention(in[0], in[1], in[2], operand_for(in[0], in[3]), shape, 1e-6,
                              packed_positions(2, 30, 2, at::kFloat));
    };
    const Operation formula = [&](const Inputs& in) {
      return formulas::latent_attention(in[0], in[1], in[2], {in[3], {}}, shape, 1e-6,
                                        packed_positions(2, 30, 2, at::kDouble));
    };
    expect_equal_in_every_type(
        fast, formula,
        {random({60, 30}, 1), random({60, 12}, 2), random({8}, 3) + 2, random({33, 8}, 4, 0.3)}, 2);
  }
}

TEST(Ops, LinearCrossEntropySumsOverCountedLabelsChunkByChunk) {
  const int64_t vocabulary = 3000, rows = 800;
  ASSERT_LT(cross_entropy_chunk_rows(rows, vocabulary), rows / 2);
  at::Tensor labels = (random({rows}, 8).abs() * 1000).to(at::kLong).clamp_max(vocabulary - 1);
  labels[5] = -100;
  labels[797] = -1;
  const Operation fast = [&](const Inputs& in) {
    return linear_cross_entropy(in[0], operand_for(in[0], in[1]), labels);
  };
  const Operation formula = [&](const Inputs& in) {
    return formulas::linear_cross_entropy(in[0], {in[1], {}}, labels);
  };
  expect_equal_in_every_type(fast, formula, {random({rows, 16}, 1), random({vocabulary, 16}, 2)},
                             1);
}

TEST(Ops, LinearCrossEntropyInChunksIsThatOfAllLogitsAtOnceToOneInAMillion) {
  const int64_t vocabulary = 3000, rows = 800;
  ASSERT_LT(cross_entropy_chunk_rows(rows, vocabulary), rows / 2);
  at::Tensor labels = (random({rows}, 8).abs() * 1000).to(at::kLong).clamp_max(vocabulary - 1);
  labels.narrow(0, 100, 50).fill_(-100);
  const auto leaf = [](at::Tensor values) { return values.to(at::kFloat).requires_grad_(); };
  at::Tensor x = leaf(random({rows, 64}, 1)), w = leaf(random({vocabulary, 64}, 2, 0.1));
  at::Tensor x_whole = x.detach().clone().requires_grad_();
  at::Tensor w_whole = w.detach().clone().requires_grad_();
  const at::Tensor chunked = linear_cross_entropy(x, operand_for(x, w), labels);
  chunked.backward();
  const at::Tensor logits = at::linear(x_whole, w_whole);
  const at::Tensor whole =
      at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, /*ignore_index=*/-100);
  whole.backward();
  const auto gap = [](const at::Tensor& got, const at::Tensor& want) {
    return ((got - want).norm() / want.norm()).item<double>();
  };
  EXPECT_LE(gap(chunked.detach(), whole.detach()), 1e-6);
  EXPECT_LE(gap(x.grad(), x_whole.grad()), 1e-6);
  EXPECT_LE(gap(w.grad(), w_whole.grad()), 1e-6);
}

TEST(Ops, LinearCrossEntropyWithoutGradientsGivesTheSameLoss) {
  const at::Tensor x = random({70, 16}, 1).to(at::kFloat), w = random({50, 16}, 2).to(at::kFloat);
  const at::Tensor labels = at::arange(70, at::kLong).remainder(50);
  at::Tensor leaf = x.clone().requires_grad_();
  const at::Tensor with = linear_cross_entropy(leaf, {w, w}, labels);
  EXPECT_EQ(with.item<float>(), linear_cross_entropy(x, {w, w}, labels).item<float>());
}

TEST(Ops, AnOverflowInHalfPrecisionBecomesInfinite) {
  const at::Tensor x = at::full({4, 8}, 200.0, at::kHalf);
  const at::Tensor weight = at::full({3, 8}, 100.0, at::kFloat);
  EXPECT_TRUE(at::isinf(linear(x, operand_for(x, weight))).all().item<bool>());
  at::Tensor leaf = at::ones({4, 8}, at::kHalf).requires_grad_();
  at::Tensor master = at::ones({3, 8}, at::kFloat).requires_grad_();
  (linear(leaf, operand_for(leaf, master)).to(at::kFloat).sum() * 30000).backward();
  EXPECT_TRUE(at::isinf(master.grad()).all().item<bool>());
}

TEST(Ops, EmbeddingSumsTheGradientsOfRepeatedTokens) {
  const at::Tensor ids = at::tensor({3, 1, 3, 3, 0}, at::kLong);
  const Operation fast = [&](const Inputs& in) { return embed(ids, in[0]); };
  const Operation formula = [&](const Inputs& in) { return at::embedding(in[0], ids); };
  expect_equal_to_formula(fast, formula, {random({5, 7}, 1)}, 0, at::kFloat, 1e-6);
}

TEST(Ops, DropoutKeepsTheMeanAndDrawsTheSameMaskFromTheSameKey) {
  const at::Tensor x = at::ones({400, 100}, at::kFloat);
  const at::Tensor once = dropout(x, 0.3, uint64_t{7});
  EXPECT_TRUE(at::equal(once, dropout(x, 0.3, uint64_t{7})));
  EXPECT_FALSE(at::equal(once, dropout(x, 0.3, uint64_t{8})));
  // 40,000 draws: the share of zeroes is within five standard deviations of p.
  EXPECT_NEAR((once == 0).to(at::kDouble).mean().item<double>(), 0.3, 5 * std::sqrt(0.21 / 4e4));
  EXPECT_NEAR(once.max().item<double>(), 1 / 0.7, 1e-6);
}

TEST(Ops, AWeightCopyFollowsItsMaster) {
  WeightCopy copy;
  const at::Tensor master = at::ones({2, 2}, at::kFloat);
  const at::Tensor first = copy.get(master, at::kBFloat16).operand;
  EXPECT_TRUE(first.is_same(copy.get(master, at::kBFloat16).operand));
  master.fill_(3);
  EXPECT_EQ(copy.get(master, at::kBFloat16).operand[0][0].item<float>(), 3);
  EXPECT_TRUE(copy.get(master, at::kFloat).operand.is_same(master));
}

TEST(Ops, TheNumberOfThreadsDoesNotChangeABit) {
  const int threads = at::get_num_threads();
  const Inputs inputs{random({700, 24}, 1), random({700, 24}, 2), random({24}, 3),
                      random({31, 24}, 4),  random({31, 24}, 5),  random({24, 31}, 6)};
  const std::vector<at::ScalarType> types(inputs.size(), at::kFloat);
  const Operation block = [](const Inputs& in) {
    const Normed h = add_rms_norm(in[0], in[1], in[2], 1e-6, at::kFloat);
    return h.sum + gated_mlp(h.normed, {{in[3], in[3]}, {in[4], in[4]}, {in[5], in[5]}});
  };
  at::set_num_threads(1);
  const Outcome one = evaluate(block, inputs, types);
  at::set_num_threads(2);
  const Outcome two = evaluate(block, inputs, types);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.value, two.value));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EXPECT_TRUE(at::equal(one.gradients[i], two.gradients[i])) << i;
}

}  // namespace
}  // namespace cupel::nn
