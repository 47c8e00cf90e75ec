#include "base/error.h"

#include <utility>

namespace cupel {

Error::Error(ErrorKind kind, std::string where, std::string text, std::string hint)
    : kind_(kind), where_(std::move(where)), text_(std::move(text)), hint_(std::move(hint)) {
  message_ = where_.empty() ? text_ : where_ + ": " + text_;
  if (!hint_.empty()) message_ += "; " + hint_;
}

void fail(ErrorKind kind, std::string where, std::string text, std::string hint) {
  throw Error(kind, std::move(where), std::move(text), std::move(hint));
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return 2;
    case ErrorKind::data:
      return 3;
    case ErrorKind::resource:
      return 4;
    case ErrorKind::numeric:
    case ErrorKind::external:
    case ErrorKind::bug:
      return 1;
  }
  return 1;
}

void fail_assertion(const char* condition, const char* file, int line) {
  fail(ErrorKind::bug, std::string(file) + ":" + std::to_string(line),
       std::string("assertion failed: ") + condition, "this is a bug in cupel, please report it");
}

}  // namespace cupel
