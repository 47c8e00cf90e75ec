#include "data/arithmetic.h"

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace cupel {

namespace {

constexpr int kLargest = 99;
constexpr uint64_t kTestShare = 10;  // every tenth prompt
constexpr int kDrawsPerProblem = 1000;

/// A binary tree; op 0 is a number.
struct Expression {
  char op = 0;
  int value = 0;
  std::unique_ptr<Expression> left, right;
};
using Tree = std::unique_ptr<Expression>;

int apply(char op, int a, int b) { return op == '+' ? a + b : op == '-' ? a - b : a * b; }

int evaluate(const Expression& tree) {
  return tree.op == 0 ? tree.value : apply(tree.op, evaluate(*tree.left), evaluate(*tree.right));
}

/// Operands are digits, results 0 to kLargest: larger minus smaller where nothing else fits.
Tree random_expression(Rng& rng, int64_t operations) {
  auto tree = std::make_unique<Expression>();
  if (operations == 0) {
    tree->value = static_cast<int>(rng.below(10));
    return tree;
  }
  const auto left_operations = static_cast<int64_t>(rng.below(static_cast<uint64_t>(operations)));
  tree->left = random_expression(rng, left_operations);
  tree->right = random_expression(rng, operations - 1 - left_operations);
  const int a = evaluate(*tree->left), b = evaluate(*tree->right);
  std::string fitting;
  for (const char op : {'+', '-', '*'}) {
    const int result = apply(op, a, b);
    if (result >= 0 && result <= kLargest) fitting += op;
  }
  if (fitting.empty()) {
    std::swap(tree->left, tree->right);
    fitting = "-";
  }
  tree->op = fitting[rng.below(fitting.size())];
  return tree;
}

int precedence(char op) { return op == 0 ? 3 : op == '*' ? 2 : 1; }

std::string show(const Expression& tree) {
  if (tree.op == 0) return std::to_string(tree.value);
  std::string left = show(*tree.left), right = show(*tree.right);
  if (precedence(tree.left->op) < precedence(tree.op)) left = '(' + left + ')';
  if (precedence(tree.right->op) <= precedence(tree.op)) right = '(' + right + ')';
  return left + tree.op + right;
}

/// Replaces the first operation whose operands are numbers by its result.
bool reduce(Expression& tree) {
  if (tree.op == 0) return false;
  if (!reduce(*tree.left) && !reduce(*tree.right)) {
    tree.value = evaluate(tree);
    tree.op = 0;
  }
  return true;
}

/// Joins what the prompt and each step of the solution look like: "prompt=" and "step=step=answer".
class Solution {
 public:
  explicit Solution(std::string prompt) : prompt_(std::move(prompt) + '=') {}
  void step(const std::string& text) {
    if (!completion_.empty()) completion_ += '=';
    completion_ += text;
  }
  Problem problem(ProblemKind kind, int64_t level) && {
    return {std::move(prompt_), std::move(completion_), kind, level};
  }

 private:
  std::string prompt_, completion_;
};

std::string truth(bool value) { return value ? "true" : "false"; }

Problem arithmetic_problem(Rng& rng, int64_t level) {
  const Tree tree = random_expression(rng, level + 1);
  Solution solution(show(*tree));
  while (reduce(*tree)) solution.step(show(*tree));
  return std::move(solution).problem(ProblemKind::arithmetic, level);
}

/// A comparison is the last of the level's operations.
Problem comparison_problem(Rng& rng, int64_t level) {
  const auto left_operations = static_cast<int64_t>(rng.below(static_cast<uint64_t>(level) + 1));
  const Tree left = random_expression(rng, left_operations);
  const Tree right = random_expression(rng, level - left_operations);
  const bool less = rng.below(2) == 0;
  const auto text = [&] { return show(*left) + (less ? '<' : '>') + show(*right); };
  Solution solution(text());
  while (reduce(*left) || reduce(*right)) solution.step(text());
  solution.step(truth(less ? left->value < right->value : left->value > right->value));
  return std::move(solution).problem(ProblemKind::comparison, level);
}

struct Term {
  std::string text;
  bool value;
};

/// true, not true, or 3<5.
Term random_term(Rng& rng) {
  const uint64_t form = rng.below(3);
  if (form == 2) {
    const uint64_t a = rng.below(10), b = rng.below(10);
    const bool less = rng.below(2) == 0;
    return {std::to_string(a) + (less ? '<' : '>') + std::to_string(b), less ? a < b : a > b};
  }
  const bool value = rng.below(2) == 0;
  return form == 0 ? Term{truth(value), value} : Term{"not " + truth(value), !value};
}

/// Terms first, then every "and" from the left, then every "or".
Problem boolean_problem(Rng& rng, int64_t level) {
  std::vector<Term> terms;
  std::vector<std::string> operators;
  for (int64_t i = 0; i <= level; ++i) {
    terms.push_back(random_term(rng));
    if (i > 0) operators.push_back(rng.below(2) == 0 ? " and " : " or ");
  }
  const auto text = [&] {
    std::string joined = terms[0].text;
    for (std::size_t i = 0; i < operators.size(); ++i) joined += operators[i] + terms[i + 1].text;
    return joined;
  };
  Solution solution(text());
  for (Term& term : terms) {
    if (term.text == truth(term.value)) continue;
    term.text = truth(term.value);
    solution.step(text());
  }
  while (!operators.empty()) {
    auto next = std::find(operators.begin(), operators.end(), " and ");
    const bool is_and = next != operators.end();
    if (!is_and) next = operators.begin();
    const auto at = next - operators.begin();
    const bool a = terms[static_cast<std::size_t>(at)].value;
    const bool b = terms[static_cast<std::size_t>(at) + 1].value;
    const bool result = is_and ? a && b : a || b;
    terms[static_cast<std::size_t>(at)] = {truth(result), result};
    terms.erase(terms.begin() + at + 1);
    operators.erase(next);
    solution.step(text());
  }
  return std::move(solution).problem(ProblemKind::boolean, level);
}

/// A chain of names, told link by link in any order.
Problem ordering_problem(Rng& rng, int64_t level) {
  std::string names = "abcdefgh";
  rng.shuffle(names);
  names.resize(static_cast<std::size_t>(level) + 2);
  std::vector<std::string> links;
  for (std::size_t i = 1; i < names.size(); ++i) {
    links.push_back(std::string{names[i - 1], '<', names[i]});
  }
  rng.shuffle(links);
  std::string prompt, chain;
  for (const std::string& link : links) prompt += (prompt.empty() ? "" : ",") + link;
  for (const char name : names) chain += (chain.empty() ? "" : "<") + std::string{name};
  const bool least = rng.below(2) == 0;
  Solution solution(prompt + (least ? " least" : " greatest"));
  solution.step(chain);
  solution.step(std::string{least ? names.front() : names.back()});
  return std::move(solution).problem(ProblemKind::ordering, level);
}

Problem random_problem(Rng& rng, const ProblemOptions& options) {
  const auto levels = static_cast<uint64_t>(options.max_level - options.min_level + 1);
  const int64_t level = options.min_level + static_cast<int64_t>(rng.below(levels));
  switch (rng.below(6)) {
    case 0:
      return comparison_problem(rng, level);
    case 1:
      return boolean_problem(rng, level);
    case 2:
      return ordering_problem(rng, level);
    default:
      return arithmetic_problem(rng, level);
  }
}

ProblemSplit split_of(const Problem& problem) {
  return hash64(problem.prompt) % kTestShare == 0 ? ProblemSplit::test : ProblemSplit::train;
}

}  // namespace

std::vector<Problem> generate_problems(Rng& rng, int64_t count, const ProblemOptions& options) {
  if (options.min_level < 1 || options.max_level > kMaxProblemLevel ||
      options.min_level > options.max_level) {
    fail(ErrorKind::config, "[data.arithmetic]",
         "levels " + std::to_string(options.min_level) + " to " +
             std::to_string(options.max_level) + " are no range",
         "take levels from 1 to " + std::to_string(kMaxProblemLevel) + ", the smaller one first");
  }
  std::vector<Problem> problems;
  std::unordered_set<std::string> taken;
  int64_t draws_left = kDrawsPerProblem;
  while (static_cast<int64_t>(problems.size()) < count) {
    if (--draws_left < 0) {
      fail(ErrorKind::config, "[data.arithmetic]",
           "hardly more than " + std::to_string(problems.size()) +
               " different test problems have levels " + std::to_string(options.min_level) +
               " to " + std::to_string(options.max_level),
           "ask for fewer rows");
    }
    Problem problem = random_problem(rng, options);
    if (split_of(problem) != options.split) continue;
    if (options.split == ProblemSplit::test && !taken.insert(problem.prompt).second) continue;
    problems.push_back(std::move(problem));
    draws_left = kDrawsPerProblem;
  }
  return problems;
}

std::string final_answer(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  text.remove_prefix(first);
  text = text.substr(0, text.find('\n'));
  text.remove_prefix(text.rfind('=') + 1);  // npos + 1 is 0
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
}

}  // namespace cupel
