// What a run tells → lines for people: one that is redrawn on a terminal, plain ones elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/run.h"

namespace cupel::cli {

/// How much a terminal can do.
struct Screen {
  bool redraws = false;  // it is a terminal, so the last line can be written again
  bool colours = false;  // and neither NO_COLOR nor a dumb terminal forbids them
  int columns = 80;
};

/// What standard error is connected to.
Screen standard_error();

/// To standard error, at once.
void say(std::string_view text);

/// Progress as done/total, the note beside it, rate, time left and memory. Redrawn at most ten
/// times a second, or a line every five seconds. One a run; events come one at a time.
class Terminal {
 public:
  using Write = std::function<void(std::string_view)>;
  /// `clock` gives seconds and never goes back.
  Terminal(Screen screen, Write write, std::function<double()> clock);

  void operator()(const Event& event);
  /// Removes the line that is redrawn, if there is one.
  void clear();

 private:
  void progress(const Event& event);
  void line(const std::string& text);
  void draw(const std::string& text);

  Screen screen_;
  Write write_;
  std::function<double()> clock_;
  bool drawn_ = false;
  int64_t first_done_ = 0, last_done_ = 0, total_ = -1;
  double first_time_ = 0, shown_time_ = 0;
  bool shown_ = false;
};

/// `text` in a colour ("1" bold, "2" faint, "31" red …) where the screen has colours.
std::string coloured(const Screen& screen, std::string_view colour, std::string_view text);

}  // namespace cupel::cli
