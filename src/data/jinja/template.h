// A chat template: text in the part of Jinja that published templates use, rendered within limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/jinja/machine.h"

namespace cupel::jinja {

struct Span {
  std::size_t begin = 0, end = 0;  // bytes
  bool operator==(const Span&) const = default;
};

struct RenderOptions {
  Limits limits{};
  /// What strftime_now tells, in seconds since 1970, UTC; without it there is no such function.
  std::optional<int64_t> time{};
};

struct Rendered {
  std::string text{};
  std::vector<Span> generated{};         // what stood inside {% generation %}
  std::optional<std::string> refusal{};  // what raise_exception said: there is no text
};

/// As transformers renders chat templates: jinja2's immutable sandbox with trim_blocks and
/// lstrip_blocks, its own tojson, raise_exception and strftime_now, break, continue and generation.
/// What is left out is an error that names it: import, include, extends, block, recursive loops,
/// arguments by * and **, filters and methods that no published template needs. Nothing but data
/// can be reached.
class Template {
 public:
  /// `where` names the template in errors. Throws Error{data} "where:line: …".
  Template(std::string_view text, std::string where);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// `variables` is an object. Throws Error{data} for what the template does wrong or beyond the
  /// limits.
  Rendered render(const json::Value& variables, const RenderOptions& options = {}) const;

  /// Whether it says itself, by {% generation %}, what an assistant writes.
  bool marks_generation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel::jinja
