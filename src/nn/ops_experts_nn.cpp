#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

/// Tokens grouped by expert: assignments order[begin[e] … begin[e + 1]) belong to expert e, in the
/// order of the tokens; assignment t * k + j is choice j of token t.
struct Groups {
  int64_t choices = 0;  // k
  std::vector<int64_t> begin, order;

  int64_t size(int64_t e) const { return begin[at(e) + 1] - begin[at(e)]; }
  const int64_t* members(int64_t e) const { return order.data() + begin[at(e)]; }

 private:
  static std::size_t at(int64_t e) { return static_cast<std::size_t>(e); }
};

Groups group_by_expert(const at::Tensor& choices, int64_t experts) {
  Groups groups;
  groups.choices = choices.size(1);
  groups.begin.assign(static_cast<std::size_t>(experts) + 1, 0);
  groups.order.resize(static_cast<std::size_t>(choices.numel()));
  const int64_t* chosen = choices.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < choices.numel(); ++i) {
    CUPEL_ASSERT(chosen[i] >= 0 && chosen[i] < experts);
    ++groups.begin[static_cast<std::size_t>(chosen[i]) + 1];
  }
  for (std::size_t e = 1; e < groups.begin.size(); ++e) groups.begin[e] += groups.begin[e - 1];
  std::vector<int64_t> next(groups.begin.begin(), groups.begin.end() - 1);
  for (int64_t i = 0; i < choices.numel(); ++i)
    groups.order[static_cast<std::size_t>(next[static_cast<std::size_t>(chosen[i])]++)] = i;
  return groups;
}

/// Rows of the members' tokens, one after the other.
at::Tensor gather(const at::Tensor& x, const Groups& groups, int64_t e) {
  at::Tensor rows = empty(groups.size(e), x.size(1), x.scalar_type());
  const auto row_bytes = static_cast<std::size_t>(x.size(1)) * x.element_size();
  const auto* from = static_cast<const char*>(x.const_data_ptr());
  auto* to = static_cast<char*>(rows.mutable_data_ptr());
  for_rows(groups.size(e), kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t token = groups.members(e)[i] / groups.choices;
      std::memcpy(to + static_cast<std::size_t>(i) * row_bytes,
                  from + static_cast<std::size_t>(token) * row_bytes, row_bytes);
    }
  });
  return rows;
}

/// sum[token] += rows[i] for every member; no token occurs twice in an expert.
void scatter_add(const at::Tensor& rows, const Groups& groups, int64_t e, const at::Tensor& sum) {
  const Matrix from = matrix_of(rows);
  const View<float> to = view_of(sum);
  for_rows(from.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Scratch scratch;
      int64_t stride = 0;
      const float* row = load_rows(from, i, 1, scratch, &stride);
      float* total = to.row(groups.members(e)[i] / groups.choices);
      for (int64_t c = 0; c < from.cols; ++c) total[c] += row[c];
    }
  });
}

std::vector<float> member_scores(const at::Tensor& scores, const Groups& groups, int64_t e) {
  const float* score = scores.const_data_ptr<float>();
  std::vector<float> result(static_cast<std::size_t>(groups.size(e)));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = score[groups.members(e)[i]];
  return result;
}

GatedUnit expert_unit(const at::Tensor& gate_up, const at::Tensor& down, int64_t e) {
  const Matrix both = matrix_of(gate_up[e]);
  const int64_t inner = both.rows / 2;
  return {both.row_range(0, inner), both.row_range(inner, inner), matrix_of(down[e])};
}

/// The unit's output for rows x; `both` is kept for the backward pass.
at::Tensor run_unit(const at::Tensor& x, const GatedUnit& unit, const float* factor,
                    const Matrix& both) {
  gate_and_up(matrix_of(x), unit, both);
  const at::Tensor gated = empty(x.size(0), unit.gate.rows, x.scalar_type());
  apply_gate(both, factor, matrix_of(gated));
  at::Tensor result = empty(x.size(0), unit.down.rows, x.scalar_type());
  multiply(matrix_of(gated), unit.down.transposed(), matrix_of(result));
  return result;
}

struct Experts : torch::autograd::Function<Experts> {
  /// masters and operands: gate_up, down, and of a shared expert gate, up, down.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scores,
                            const at::Tensor& choices, at::TensorList masters,
                            at::TensorList operands) {
    const int64_t tokens = x.size(0), count = operands[0].size(0);
    const Groups groups = group_by_expert(choices, count);
    const at::Tensor both = empty(choices.numel(), operands[0].size(1), x.scalar_type());
    at::Tensor sum, shared_both;
    if (operands.size() > 2) {
      shared_both = empty(tokens, 2 * operands[2].size(0), x.scalar_type());
      sum = run_unit(x, unit_of(operands[2], operands[3], operands[4]), nullptr,
                     matrix_of(shared_both))
                .to(at::kFloat);
    } else {
      sum = at::zeros({tokens, x.size(1)}, at::kFloat);
    }
    for (int64_t e = 0; e < count; ++e) {
      const auto begin = groups.begin[static_cast<std::size_t>(e)];
      const std::vector<float> factor = member_scores(scores, groups, e);
      const at::Tensor rows =
          run_unit(gather(x, groups, e), expert_unit(operands[0], operands[1], e), factor.data(),
                   matrix_of(both).row_range(begin, groups.size(e)));
      scatter_add(rows, groups, e, sum);
    }
    variable_list saved{x, scores, both, shared_both};
    saved.insert(saved.end(), operands.begin(), operands.end());
    context->save_for_backward(std::move(saved));
    keep(context, groups);
    CUPEL_ASSERT(masters.size() == operands.size());
    return sum.to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const auto& groups = kept<Groups>(context);
    const at::Tensor &x = saved[0], &scores = saved[1], grad = grads[0].contiguous();
    const std::size_t weights = saved.size() - 4;
    const at::Tensor* operands = &saved[4];
    variable_list results(3 + 2 * weights);
    const at::Tensor grad_x = at::zeros({x.size(0), x.size(1)}, at::kFloat);
    for (std::size_t i = 0; i < weights; ++i) {
      if (context->needs_input_grad(3 + i))
        results[3 + i] = at::empty(operands[i].sizes(), at::kFloat);
    }
    if (weights > 2) {
      GatedGradients wanted{
          part(results[5]), part(results[6]), part(results[7]), matrix_of(grad_x), false, nullptr};
      gated_backward(matrix_of(x), matrix_of(saved[3]), nullptr, matrix_of(grad),
                     unit_of(operands[2], operands[3], operands[4]), wanted);
    }
    const at::Tensor grad_scores = at::empty_like(scores);
    for (int64_t e = 0; e < operands[0].size(0); ++e)
      expert_backward(saved, groups, e, grad, results, grad_scores, grad_x);
    results[0] = grad_x.to(x.scalar_type());
    results[1] = grad_scores;
    return results;
  }

 private:
  static Matrix part(const at::Tensor& tensor) {
    return tensor.defined() ? matrix_of(tensor) : Matrix{};
  }

  static void expert_backward(const variable_list& saved, const Groups& groups, int64_t e,
                              const at::Tensor& grad, variable_list& results,
                              const at::Tensor& grad_scores, const at::Tensor& grad_x) {
    const at::Tensor rows = gather(saved[0], groups, e), grad_rows = gather(grad, groups, e);
    const std::vector<float> factor = member_scores(saved[1], groups, e);
    std::vector<float> grad_factor(factor.size());
    const at::Tensor grad_in = empty(rows.size(0), rows.size(1), at::kFloat);
    GatedGradients wanted;
    if (results[3].defined()) {
      const Matrix both = matrix_of(results[3][e]);
      wanted.gate = both.row_range(0, both.rows / 2);
      wanted.up = both.row_range(both.rows / 2, both.rows / 2);
    }
    if (results[4].defined()) wanted.down = matrix_of(results[4][e]);
    wanted.x = matrix_of(grad_in);
    wanted.factor = grad_factor.data();
    const int64_t begin = groups.begin[static_cast<std::size_t>(e)];
    gated_backward(matrix_of(rows), matrix_of(saved[2]).row_range(begin, groups.size(e)),
                   factor.data(), matrix_of(grad_rows), expert_unit(saved[4], saved[5], e), wanted);
    scatter_add(grad_in, groups, e, grad_x);
    float* to = grad_scores.mutable_data_ptr<float>();
    for (std::size_t i = 0; i < grad_factor.size(); ++i) to[groups.members(e)[i]] = grad_factor[i];
  }
};

}  // namespace

at::Tensor experts(const at::Tensor& x, const at::Tensor& scores, const at::Tensor& choices,
                   const ExpertWeights& weights) {
  if (!runs_on_kernels(x, weights.gate_up)) return formulas::experts(x, scores, choices, weights);
  std::vector<at::Tensor> masters{weights.gate_up.master, weights.down.master};
  std::vector<at::Tensor> operands{weights.gate_up.operand, weights.down.operand};
  if (weights.shared.gate.master.defined()) {
    for (const Weight* weight : {&weights.shared.gate, &weights.shared.up, &weights.shared.down}) {
      masters.push_back(weight->master);
      operands.push_back(weight->operand);
    }
  }
  return Experts::apply(x.contiguous(), scores.contiguous(), choices.contiguous(),
                        at::TensorList(masters), at::TensorList(operands));
}

}  // namespace cupel::nn
