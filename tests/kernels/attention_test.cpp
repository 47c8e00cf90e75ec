#include "kernels/every_row.h"

namespace cupel {
namespace {

/// One head of packed documents with everything that forward and backward need.
struct Head {
  Head(int64_t size, int64_t qk, int64_t v_size, std::vector<int32_t> firsts, int64_t gap = 3)
      : length(size),
        qk_dim(qk),
        v_dim(v_size),
        q(size * (qk + gap), 1),
        k(size * (qk + gap), 2),
        v(size * (v_size + gap), 3),
        grad_out(size * (v_size + gap), 4),
        out(size * (v_size + gap), 5),
        log_sum_exp(size, 6),
        grad_q(q.size(), 7),
        grad_k(k.size(), 8),
        grad_v(v.size(), 9),
        first(std::move(firsts)) {}

  AttentionArgs args() {
    return {length,
            qk_dim,
            v_dim,
            q.data(),
            k.data(),
            v.data(),
            q.size() / length,
            k.size() / length,
            v.size() / length,
            first.empty() ? nullptr : first.data(),
            0.3f,
            out.data(),
            out.size() / length,
            log_sum_exp.data(),
            grad_out.data(),
            grad_q.data(),
            grad_k.data(),
            grad_v.data()};
  }
  void run(const Kernels& kernels) {
    Workspace workspace(attention_workspace_bytes(length, qk_dim, v_dim));
    kernels.attention(args(), workspace.get());
    kernels.attention_backward(args(), workspace.get());
  }

  int64_t length, qk_dim, v_dim;
  Floats q, k, v, grad_out, out, log_sum_exp, grad_q, grad_k, grad_v;
  std::vector<int32_t> first;
};

/// Documents of the given lengths: the first position of each position's document.
std::vector<int32_t> documents(std::initializer_list<int> lengths) {
  std::vector<int32_t> first;
  for (const int length : lengths)
    first.insert(first.end(), static_cast<size_t>(length), static_cast<int32_t>(first.size()));
  return first;
}

class Attention : public EveryRow {};

TEST_P(Attention, AgreesWithTheScalarRowForwardAndBackward) {
  for (const int64_t length : {1, 5, 64, 97, 256, 300}) {
    for (const auto& [qk_dim, v_dim] :
         {std::pair<int64_t, int64_t>{24, 16}, {48, 32}, {7, 5}, {192, 128}, {64, 33}}) {
      SCOPED_TRACE(testing::Message()
                   << length << " positions, " << qk_dim << " and " << v_dim << " wide");
      Head actual(length, qk_dim, v_dim, {}), expected = actual;
      actual.run(*row);
      expected.run(scalar_row());
      expect_near(actual.out, expected.out, 1e-5f, 1e-5f);
      expect_near(actual.log_sum_exp, expected.log_sum_exp, 1e-5f, 1e-5f);
      expect_near(actual.grad_q, expected.grad_q, 1e-5f, 1e-4f);
      expect_near(actual.grad_k, expected.grad_k, 1e-5f, 1e-4f);
      expect_near(actual.grad_v, expected.grad_v, 1e-5f, 1e-4f);
    }
  }
}

TEST_P(Attention, KeepsPackedDocumentsApart) {
  Head together(403, 24, 16, documents({1, 150, 7, 200, 45}));
  together.run(*row);
  Head expected = together;
  expected.run(scalar_row());
  expect_near(together.out, expected.out, 1e-5f, 1e-5f);
  expect_near(together.grad_q, expected.grad_q, 1e-5f, 1e-4f);
  expect_near(together.grad_k, expected.grad_k, 1e-5f, 1e-4f);
  expect_near(together.grad_v, expected.grad_v, 1e-5f, 1e-4f);

  // Another document's numbers, even absurd ones, change nothing.
  Head changed = together;
  for (int64_t i = 0; i < 151 * (24 + 3); ++i) changed.k[i] = 1e4f;
  changed.run(*row);
  for (int64_t i = 151 * (16 + 3); i < together.out.size(); ++i)
    ASSERT_EQ(changed.out[i], together.out[i]) << i;
}

TEST_P(Attention, SurvivesScoresFarApart) {
  Head head(130, 8, 8, {});
  for (int64_t i = 0; i < head.k.size(); ++i) head.k[i] *= 1e3f;
  Head expected = head;
  head.run(*row);
  expected.run(scalar_row());
  expect_near(head.out, expected.out, 1e-3f, 1e-3f);
}

TEST(ScalarAttention, AttendsAsTheDefinitionSays) {
  Head head(2, 1, 1, {}, 0);
  head.q[1] = 2;
  head.k[0] = 1;
  head.k[1] = 3;
  head.v[0] = 10;
  head.v[1] = 20;
  head.run(scalar_row());
  const double a = std::exp(2 * 1 * 0.3), b = std::exp(2 * 3 * 0.3);
  EXPECT_FLOAT_EQ(head.out[0], 10);
  EXPECT_FLOAT_EQ(head.out[1], static_cast<float>((10 * a + 20 * b) / (a + b)));
  EXPECT_FLOAT_EQ(head.log_sum_exp[1], static_cast<float>(std::log(a + b)));
}

TEST(ScalarAttention, DifferentiatesAttention) {
  Head head(6, 3, 2, documents({2, 4}), 0);
  head.run(scalar_row());
  const auto loss = [&](Head moved) {
    moved.run(scalar_row());
    double sum = 0;
    for (int64_t i = 0; i < moved.out.size(); ++i)
      sum += static_cast<double>(moved.out[i]) * moved.grad_out[i];
    return sum;
  };
  const auto check = [&](Floats Head::*input, const Floats& gradient) {
    for (int64_t i = 0; i < gradient.size(); ++i) {
      Head up = head, down = head;
      (up.*input)[i] += 0.01f;
      (down.*input)[i] -= 0.01f;
      EXPECT_NEAR(gradient[i], (loss(up) - loss(down)) / 0.02, 1e-3) << i;
    }
  };
  check(&Head::q, head.grad_q);
  check(&Head::k, head.grad_k);
  check(&Head::v, head.grad_v);
}

INSTANTIATE_TEST_SUITE_P(, Attention, every_row_name(), row_label);

}  // namespace
}  // namespace cupel
