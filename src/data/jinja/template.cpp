#include "data/jinja/template.h"

#include <algorithm>

#include "data/jinja/parser.h"
#include "data/jinja/renderer.h"

namespace cupel::jinja {
namespace {

bool has_generation(const Body& body) {
  return std::ranges::any_of(body, [](const Statement& statement) {
    return statement.kind == Statement::Kind::generation ||
           std::ranges::any_of(statement.bodies, has_generation);
  });
}

}  // namespace

struct Template::Impl {
  std::string where;
  Body body;
  bool marks_generation = false;
};

Template::Template(std::string_view text, std::string where) : impl_(std::make_unique<Impl>()) {
  impl_->where = std::move(where);
  impl_->body = parse(text, impl_->where);
  impl_->marks_generation = has_generation(impl_->body);
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Rendered Template::render(const json::Value& variables, const RenderOptions& options) const {
  Machine machine(impl_->where, options.limits);
  return Renderer(machine, options).render(impl_->body, variables);
}

bool Template::marks_generation() const { return impl_->marks_generation; }

}  // namespace cupel::jinja
