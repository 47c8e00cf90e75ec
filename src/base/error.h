// The one exception of the product: what kind, where, what happened, what to do about it.
#pragma once

#include <exception>
#include <string>

namespace cupel {

enum class ErrorKind {
  config,    // the recipe or the command line is wrong                          exit 2
  data,      // the input breaks its contract                                    exit 3
  resource,  // memory, disk, device                                             exit 4
  numeric,   // training left the finite world and could not come back           exit 1
  external,  // another program or library failed                                exit 1
  bug,       // our own assertion                                                exit 1
};

/// Thrown only for what ends the run. what() reads "where: text; hint".
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string where, std::string text, std::string hint = {});
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const noexcept { return kind_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& text() const noexcept { return text_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorKind kind_;
  std::string where_, text_, hint_, message_;
};

/// `where` is the culprit: a file with its line (`data.jsonl:481`), a key, or a module in brackets.
[[noreturn]] void fail(ErrorKind kind, std::string where, std::string text, std::string hint = {});

/// What the process returns for an error of this kind.
int exit_code(ErrorKind kind);

/// A run that was asked to stop and has saved everything. The process returns 130.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted; everything is saved"; }
};

[[noreturn]] void fail_assertion(const char* condition, const char* file, int line);

}  // namespace cupel

/// For our own mistakes, never for user input.
#define CUPEL_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::cupel::fail_assertion(#condition, __FILE__, __LINE__))
